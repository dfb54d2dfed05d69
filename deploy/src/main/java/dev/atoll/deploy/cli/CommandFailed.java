package dev.atoll.deploy.cli;

/// A command could not do its work. The message is one sentence for the user: what is wrong, what
/// to do.
final class CommandFailed extends Exception {
    private static final long serialVersionUID = 1L;

    CommandFailed(String message) {
        super(message);
    }

    CommandFailed(String message, Throwable cause) {
        super(message, cause);
    }
}
