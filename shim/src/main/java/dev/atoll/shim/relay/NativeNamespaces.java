package dev.atoll.shim.relay;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import dev.atoll.shim.status.InvalidArgument;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Decides which namespaces a native container is in.
///
/// containerd names a pod's namespaces by the pid that it was told for the pod's pause, and names a
/// container's by that container's. For a pause and for a guest this is the daemon's, so that such
/// a path leads to the node's namespace. Only a pod whose spec shares a namespace with the node
/// (`hostNetwork`, `hostIPC`, `hostPID`) may get there.
///
/// Stateless but for what it was made with.
///
/// @param pause the spec of the pod's pause
record NativeNamespaces(
        String container, RuntimeSpec pause, PodNamespaces pod, HostNamespaces host) {
    private static final String NETWORK = "network";
    private static final String IPC = "ipc";
    private static final String UTS = "uts";
    private static final String PID = "pid";
    private static final String USER = "user";

    /// @param asked as the container's spec has them
    /// @throws InvalidArgument with one line if one cannot be given
    List<Namespace> of(List<Namespace> asked) {
        if (has(pause.linux().namespaces(), USER)) {
            throw new InvalidArgument(
                    "pod of container %s asks for a user namespace, which pods of WebAssembly have not: remove hostUsers: false"
                            .formatted(container));
        }
        List<Namespace> given = new ArrayList<>();
        if (has(pause.linux().namespaces(), NETWORK)) {
            given.add(network());
        }
        if (has(pause.linux().namespaces(), IPC)) {
            given.add(at(IPC, pod.ipc()));
        }
        if (has(pause.linux().namespaces(), UTS)) {
            given.add(at(UTS, pod.uts()));
        }
        if (has(pause.linux().namespaces(), PID)) {
            given.add(processes(asked));
        }
        for (Namespace namespace : asked) {
            switch (namespace.type()) {
                case NETWORK, IPC, UTS, PID -> {
                    // As the pod has them.
                }
                default -> given.add(unshared(container, namespace, host));
            }
        }
        return List.copyOf(given);
    }

    /// Outside of pods a spec means what it says, as long as it does not name the daemon's
    /// namespaces by taking its pid for that of a container.
    static List<Namespace> outsideOfPods(
            String container, List<Namespace> asked, HostNamespaces host) {
        return asked.stream().map(namespace -> unshared(container, namespace, host)).toList();
    }

    private static Namespace unshared(String container, Namespace namespace, HostNamespaces host) {
        if (namespace.path().isPresent()
                && isHosts(container, namespace.type(), namespace.path().get(), host)) {
            throw new InvalidArgument(
                    "%s namespace %s of container %s is that of Atoll's daemon, and so the node's: name another, or leave it out to have the node's on purpose"
                            .formatted(namespace.type(), namespace.path().get(), container));
        }
        return namespace;
    }

    /// The path of the pause's own spec is a name that CNI knows, not a process'.
    private Namespace network() {
        return new Namespace(NETWORK, pause.linux().networkNamespace().map(Path::toString));
    }

    /// A container of its own processes has no path. With one, it shares those of another container
    /// (an ephemeral container with a target) or of the pod; where that is a guest or the pause,
    /// the pod's own namespace for native processes is what comes closest.
    private Namespace processes(List<Namespace> asked) {
        Optional<String> path =
                asked.stream()
                        .filter(namespace -> namespace.type().equals(PID))
                        .findFirst()
                        .flatMap(Namespace::path);
        if (path.isEmpty()) {
            return new Namespace(PID, Optional.empty());
        }
        return isHosts(container, PID, path.get(), host)
                ? at(PID, pod.pid())
                : new Namespace(PID, path);
    }

    private static boolean isHosts(
            String container, String type, String path, HostNamespaces host) {
        try {
            return host.contain(type, Path.of(path));
        } catch (IOException e) {
            throw new InvalidArgument(
                    "%s namespace %s of container %s cannot be found (%s): has the container ended that it belongs to?"
                            .formatted(type, path, container, e.getClass().getSimpleName()));
        }
    }

    private static boolean has(List<Namespace> namespaces, String type) {
        return namespaces.stream().anyMatch(namespace -> namespace.type().equals(type));
    }

    private static Namespace at(String type, Path path) {
        return new Namespace(type, Optional.of(path.toString()));
    }
}
