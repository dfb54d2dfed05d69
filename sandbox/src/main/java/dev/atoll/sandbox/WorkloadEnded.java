package dev.atoll.sandbox;

/// The workload has ended already, or was closed.
public final class WorkloadEnded extends SandboxException {
    private static final long serialVersionUID = 1L;

    public WorkloadEnded(String message) {
        super(message);
    }

    public WorkloadEnded(String message, Throwable cause) {
        super(message, cause);
    }
}
