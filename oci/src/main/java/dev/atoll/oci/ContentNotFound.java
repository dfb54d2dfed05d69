package dev.atoll.oci;

/// A container, image or blob that containerd does not have.
public final class ContentNotFound extends OciException {
    private static final long serialVersionUID = 1L;

    public ContentNotFound(String message) {
        super(message);
    }

    public ContentNotFound(String message, Throwable cause) {
        super(message, cause);
    }
}
