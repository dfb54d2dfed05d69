package dev.atoll.deploy.cli;

/// The command line is not what the help says. The message is one sentence.
final class WrongUsage extends Exception {
    private static final long serialVersionUID = 1L;

    WrongUsage(String message) {
        super(message);
    }
}
