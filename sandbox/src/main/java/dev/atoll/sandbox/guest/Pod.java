package dev.atoll.sandbox.guest;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpec;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// What the pause's runtime spec says of a pod.
///
/// @param networkNamespace empty: the node's
/// @param cgroupParent as in the spec, without the pause's own part; empty where the spec has none
public record Pod(
        ContainerKey sandbox,
        Optional<Path> networkNamespace,
        Map<String, String> annotations,
        Optional<String> cgroupParent) {
    public Pod {
        annotations = Map.copyOf(annotations);
    }

    static Pod of(ContainerKey sandbox, RuntimeSpec spec) {
        Optional<Path> network =
                spec.linux().namespaces().stream()
                        .filter(namespace -> namespace.type().equals("network"))
                        .flatMap(namespace -> namespace.path().stream())
                        .filter(path -> !path.isEmpty())
                        .map(Path::of)
                        .findFirst();
        return new Pod(
                sandbox,
                network,
                spec.annotations(),
                spec.linux().cgroupsPath().flatMap(Pod::cgroupParent));
    }

    /// `/kubepods/burstable/pod7/<id>` (cgroupfs) or `kubepods-pod7.slice:cri-containerd:<id>`
    /// (systemd).
    private static Optional<String> cgroupParent(String cgroupsPath) {
        int colon = cgroupsPath.indexOf(':');
        int end = colon >= 0 ? colon : cgroupsPath.lastIndexOf('/');
        return end <= 0 ? Optional.empty() : Optional.of(cgroupsPath.substring(0, end));
    }
}
