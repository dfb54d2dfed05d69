package dev.atoll.sandbox;

/// The engine or a system call failed in a way that is not the workload's fault.
public final class SandboxFailure extends SandboxException {
    private static final long serialVersionUID = 1L;

    public SandboxFailure(String message) {
        super(message);
    }

    public SandboxFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
