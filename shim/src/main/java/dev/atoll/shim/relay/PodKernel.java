package dev.atoll.shim.relay;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.shim.status.InvalidArgument;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// What a pod's pause would have changed of the kernel, as arguments of the launcher's
/// `namespaces`. Stateless.
final class PodKernel {
    private PodKernel() {}

    /// @return empty if the pod shares all with the node and changes nothing
    /// @throws InvalidArgument if a setting is not that of a namespace which the pod has
    static List<String> arguments(RuntimeSpec pause) {
        boolean ipc = pause.linux().namespace("ipc").isPresent();
        boolean uts = pause.linux().namespace("uts").isPresent();
        Optional<Path> network = pause.linux().networkNamespace();
        List<String> arguments = new ArrayList<>();
        if (ipc) {
            arguments.add("--ipc");
        }
        if (uts) {
            arguments.add("--uts=" + pause.hostname().orElse(""));
        }
        List<String> settings = new ArrayList<>();
        new TreeMap<>(pause.linux().sysctls())
                .forEach((name, value) -> {
                    String dotted = name.replace('/', '.');
                    boolean possible =
                            isNetwork(dotted) ? network.isPresent() : isIpc(dotted) && ipc;
                    if (!possible) {
                        throw new InvalidArgument(
                                "sysctl %s of the pod cannot be set for its native containers: expected one of a namespace that the pod does not share with the node (net.*, kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*)"
                                        .formatted(name));
                    }
                    settings.add("--sysctl=" + name + "=" + value);
                });
        if (settings.stream()
                .anyMatch(setting -> isNetwork(setting.substring("--sysctl=".length())))) {
            network.ifPresent(path -> arguments.add("--network=" + path));
        }
        arguments.addAll(settings);
        return List.copyOf(arguments);
    }

    private static boolean isNetwork(String name) {
        return name.startsWith("net.") || name.startsWith("net/");
    }

    /// As runc has it (`libcontainer/configs/validate`).
    private static boolean isIpc(String name) {
        return name.equals("kernel.sem")
                || name.startsWith("kernel.shm")
                || name.startsWith("kernel.msg")
                || name.startsWith("fs.mqueue.");
    }
}
