package dev.atoll.sandbox;

/// Not possible while the workload uses what it does; it may be later.
public final class WorkloadBusy extends SandboxException {
    private static final long serialVersionUID = 1L;

    public WorkloadBusy(String message) {
        super(message);
    }
}
