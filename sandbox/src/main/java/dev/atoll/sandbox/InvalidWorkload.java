package dev.atoll.sandbox;

/// The program, the runtime spec or a path in the request is not acceptable; trying again does not
/// help.
public final class InvalidWorkload extends SandboxException {
    private static final long serialVersionUID = 1L;

    public InvalidWorkload(String message) {
        super(message);
    }

    public InvalidWorkload(String message, Throwable cause) {
        super(message, cause);
    }
}
