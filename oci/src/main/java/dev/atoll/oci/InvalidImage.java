package dev.atoll.oci;

/// The image is not something Atoll can run, or its bytes are not what its digests say.
public final class InvalidImage extends OciException {
    private static final long serialVersionUID = 1L;

    public InvalidImage(String message) {
        super(message);
    }

    public InvalidImage(String message, Throwable cause) {
        super(message, cause);
    }
}
