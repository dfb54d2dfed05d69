package dev.atoll.shim.status;

/// The daemon does not do this.
public final class Unimplemented extends ShimException {
    private static final long serialVersionUID = 1L;

    public Unimplemented(String message) {
        super(message);
    }
}
