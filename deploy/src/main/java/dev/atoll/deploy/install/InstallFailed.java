package dev.atoll.deploy.install;

/// A node cannot be changed as asked. The message is one line for the operator: what was found,
/// what is accepted, what to do.
public final class InstallFailed extends Exception {
    private static final long serialVersionUID = 1L;

    public InstallFailed(String message) {
        super(message);
    }

    public InstallFailed(String message, Throwable cause) {
        super(message, cause);
    }
}
