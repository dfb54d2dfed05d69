package dev.atoll.oci.registry;

/// A registry could not be reached, or refused. The message is one line for the user.
///
/// Not an [dev.atoll.oci.OciException]: the daemon never pushes, so its edge has no status for
/// this.
public final class RegistryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RegistryException(String message, Throwable cause) {
        super(message, cause);
    }
}
