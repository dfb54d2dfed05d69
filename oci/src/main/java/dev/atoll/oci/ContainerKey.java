package dev.atoll.oci;

import java.util.Objects;

/// Names a container of a containerd: ids repeat across namespaces (`k8s.io`, `moby`, `default`),
/// so both are needed.
public record ContainerKey(String namespace, String id) {
    public ContainerKey {
        Objects.requireNonNull(namespace, "namespace");
        Objects.requireNonNull(id, "id");
    }

    @Override
    public String toString() {
        return namespace + "/" + id;
    }
}
