package dev.atoll.shim.status;

/// The daemon is going down or not yet ready; trying again may help.
public final class Unavailable extends ShimException {
    private static final long serialVersionUID = 1L;

    public Unavailable(String message) {
        super(message);
    }
}
