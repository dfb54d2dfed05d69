package dev.atoll.shim.rpc;

import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.status.InvalidArgument;

/// What a call brings besides its message.
///
/// @param namespace containerd's namespace; empty if the caller sent none
/// @param session of the connection that the call came over
public record CallContext(String namespace, Session session) {
    /// A call that is alone on its connection, as far as one can know.
    public CallContext(String namespace) {
        this(namespace, new Session());
    }

    /// The namespace that the caller means: containerd 1.7 sends none for clients other than CRI,
    /// and then it is that of the container that was created over the connection.
    ///
    /// @return empty if that is not known either
    public String knownNamespace() {
        return namespace.isEmpty() ? session.namespace() : namespace;
    }

    /// @throws InvalidArgument if the id or the namespace is missing
    public ContainerKey key(String id) {
        if (id.isEmpty()) {
            throw new InvalidArgument("the request names no container: expected a non-empty id");
        }
        if (namespace.isEmpty()) {
            throw new InvalidArgument(
                    "container %s: the request names no namespace: expected containerd-namespace metadata"
                            .formatted(id));
        }
        return new ContainerKey(namespace, id);
    }
}
