package dev.atoll.sandbox.guest;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.LinuxSpec;
import dev.atoll.sandbox.http.HttpAnnotations;
import dev.atoll.sandbox.network.GuestNetwork;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What is known of a pod: from its pause's runtime spec, and from what CRI wrote down about it.
///
/// @param network whose network its containers have
/// @param seesNodesProcesses whether it asks for the node's (`hostPID`)
/// @param handler the RuntimeClass' handler; empty where it is not known
/// @param annotations of the pause's spec, and those for Atoll that CRI did not pass on
/// @param cgroupParent as in the spec, without the pause's own part; empty where the spec has none
public record Pod(
        ContainerKey sandbox,
        GuestNetwork network,
        boolean seesNodesProcesses,
        Optional<String> handler,
        Map<String, String> annotations,
        Optional<String> cgroupParent) {
    public Pod {
        annotations = Map.copyOf(annotations);
    }

    static Pod of(ContainerKey sandbox, RuntimeSpec spec, CriPod cri) {
        Map<String, String> annotations = new HashMap<>();
        cri.annotations()
                .forEach((name, value) -> {
                    if (name.startsWith(HttpAnnotations.PREFIX)) {
                        annotations.put(name, value);
                    }
                });
        annotations.putAll(spec.annotations());
        return new Pod(
                sandbox,
                GuestNetwork.of(spec.linux()),
                seesNodesProcesses(spec.linux()),
                cri.runtimeHandler(),
                annotations,
                spec.linux().cgroupsPath().flatMap(Pod::cgroupParent));
    }

    /// A spec without namespaces is one that leaves them to the runtime.
    static boolean seesNodesProcesses(LinuxSpec linux) {
        return !linux.namespaces().isEmpty() && linux.namespace("pid").isEmpty();
    }

    /// `/kubepods/burstable/pod7/<id>` (cgroupfs) or `kubepods-pod7.slice:cri-containerd:<id>`
    /// (systemd).
    private static Optional<String> cgroupParent(String cgroupsPath) {
        int colon = cgroupsPath.indexOf(':');
        int end = colon >= 0 ? colon : cgroupsPath.lastIndexOf('/');
        return end <= 0 ? Optional.empty() : Optional.of(cgroupsPath.substring(0, end));
    }
}
