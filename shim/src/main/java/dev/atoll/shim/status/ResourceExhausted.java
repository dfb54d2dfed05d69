package dev.atoll.shim.status;

/// A limit of the daemon is reached.
public final class ResourceExhausted extends ShimException {
    private static final long serialVersionUID = 1L;

    public ResourceExhausted(String message) {
        super(message);
    }
}
