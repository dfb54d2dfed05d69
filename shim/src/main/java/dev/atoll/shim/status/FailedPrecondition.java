package dev.atoll.shim.status;

/// The task is not in a state that allows the operation.
public final class FailedPrecondition extends ShimException {
    private static final long serialVersionUID = 1L;

    public FailedPrecondition(String message) {
        super(message);
    }
}
