package dev.atoll.sandbox.guest;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.Capabilities;
import dev.atoll.oci.spec.RuntimeSpec.LinuxSpec;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.InvalidWorkload;
import java.util.List;

/// What a container asks of its node that no guest can be given: it has neither a process nor the
/// kernel's interfaces. A pod that asks for less than it needs would fail later and without a word.
final class Demands {
    private static final int MOST_NAMED = 3;

    private Demands() {}

    /// What only confines processes (AppArmor, SELinux, seccomp, `noNewPrivileges`, the OOM score,
    /// limits of a process) is no demand: a guest is confined without it.
    ///
    /// @throws InvalidWorkload that names what cannot be given
    static void check(RuntimeSpec spec, Placement placement) {
        LinuxSpec linux = spec.linux();
        if (isPrivileged(spec)) {
            throw new InvalidWorkload(
                    "a wasm container cannot be privileged, since it has no way to the node's kernel: remove privileged: true from its securityContext");
        }
        if (!linux.devices().isEmpty()) {
            throw new InvalidWorkload(
                    "wasm containers have no devices, and this one asks for %s: remove what asks for them, such as the resource of a device plugin"
                            .formatted(some(linux.devices())));
        }
        if (linux.namespace("user").isPresent()) {
            throw new InvalidWorkload(
                    "user namespaces are not supported for wasm containers, whose users are the node's for files and nothing for processes: remove hostUsers: false from the pod");
        }
        if (placement.seesNodesProcesses()) {
            throw new InvalidWorkload(
                    "a wasm container cannot see the node's processes: remove hostPID: true from the pod");
        }
    }

    /// A privileged container has every capability and all of the kernel's paths; its devices
    /// depend on containerd's configuration.
    private static boolean isPrivileged(RuntimeSpec spec) {
        List<String> effective =
                spec.process()
                        .map(ProcessSpec::capabilities)
                        .map(Capabilities::effective)
                        .orElse(List.of());
        return !spec.linux().masked() && effective.contains("CAP_SYS_ADMIN");
    }

    private static String some(List<String> devices) {
        String named = String.join(", ", devices.subList(0, Math.min(MOST_NAMED, devices.size())));
        int others = devices.size() - MOST_NAMED;
        return others > 0 ? "%s and %d more".formatted(named, others) : named;
    }
}
