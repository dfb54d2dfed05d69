package dev.atoll.shim.status;

/// No such container or process, or it has ended already.
public final class NotFound extends ShimException {
    private static final long serialVersionUID = 1L;

    public NotFound(String message) {
        super(message);
    }
}
