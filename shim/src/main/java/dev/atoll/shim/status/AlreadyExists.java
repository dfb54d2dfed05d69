package dev.atoll.shim.status;

/// The id is in use.
public final class AlreadyExists extends ShimException {
    private static final long serialVersionUID = 1L;

    public AlreadyExists(String message) {
        super(message);
    }
}
