package dev.atoll.shim.status;

/// The request itself is wrong; trying again does not help.
public final class InvalidArgument extends ShimException {
    private static final long serialVersionUID = 1L;

    public InvalidArgument(String message) {
        super(message);
    }
}
