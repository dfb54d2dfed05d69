package dev.atoll.oci;

/// containerd could not be reached or answered with an error that may pass.
public final class ContentUnavailable extends OciException {
    private static final long serialVersionUID = 1L;

    public ContentUnavailable(String message) {
        super(message);
    }

    public ContentUnavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
