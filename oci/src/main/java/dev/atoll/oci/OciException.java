package dev.atoll.oci;

/// What is wrong with an image, a reference, content or a runtime spec. The message is one line,
/// cause first: what was found, what is accepted, what to do. kubelet shows it to the user
/// verbatim.
///
/// Each subclass says whose fault it is, so that the shim's edge can map it to a status code with
/// an exhaustive switch.
public abstract sealed class OciException extends RuntimeException
        permits InvalidImage, InvalidSpec, ContentNotFound, ContentUnavailable {
    private static final long serialVersionUID = 1L;

    OciException(String message) {
        super(message);
    }

    OciException(String message, Throwable cause) {
        super(message, cause);
    }
}
