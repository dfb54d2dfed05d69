package dev.atoll.sandbox.network;

import dev.atoll.oci.spec.RuntimeSpec.LinuxSpec;
import java.nio.file.Path;
import java.util.Optional;

/// Whose network a guest has.
public sealed interface GuestNetwork {
    /// The node's, as for a pod with `hostNetwork: true`.
    record OfTheNode() implements GuestNetwork {}

    /// That of a pod, or another that was made for it.
    record InNamespace(Path path) implements GuestNetwork {}

    /// A new one with nothing but its loopback.
    record Fresh() implements GuestNetwork {}

    /// What a runtime spec says: no entry for the network is the node's, an entry without a path
    /// asks for a new one (OCI runtime-spec, config-linux.md). Not to be asked of a container in a
    /// pod: see [LinuxSpec#networkNamespace].
    static GuestNetwork of(LinuxSpec linux) {
        if (!linux.hasNetworkNamespace()) {
            return new OfTheNode();
        }
        Optional<Path> path = linux.networkNamespace();
        return path.isPresent() ? new InNamespace(path.get()) : new Fresh();
    }
}
