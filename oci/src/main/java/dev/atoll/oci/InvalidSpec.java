package dev.atoll.oci;

/// The bundle's `config.json` is missing, malformed or asks for what cannot be given.
public final class InvalidSpec extends OciException {
    private static final long serialVersionUID = 1L;

    public InvalidSpec(String message) {
        super(message);
    }

    public InvalidSpec(String message, Throwable cause) {
        super(message, cause);
    }
}
