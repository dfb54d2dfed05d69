package dev.atoll.deploy.node;

/// The Kubernetes API did not do what it was asked. The message is one line.
public final class ApiFailed extends Exception {
    private static final long serialVersionUID = 1L;

    ApiFailed(String message) {
        super(message);
    }

    ApiFailed(String message, Throwable cause) {
        super(message, cause);
    }
}
