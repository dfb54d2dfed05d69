package dev.atoll.sandbox;

/// The node has no slot, descriptor or memory left for another guest.
public final class SandboxExhausted extends SandboxException {
    private static final long serialVersionUID = 1L;

    public SandboxExhausted(String message) {
        super(message);
    }

    public SandboxExhausted(String message, Throwable cause) {
        super(message, cause);
    }
}
