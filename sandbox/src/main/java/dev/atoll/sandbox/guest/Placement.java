package dev.atoll.sandbox.guest;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriAnnotations;
import dev.atoll.oci.spec.CriAnnotations.ContainerType;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.engine.Policy;
import dev.atoll.sandbox.http.HttpAnnotations;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.GuestNetwork;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Where a guest goes: whose network it has, under which policy, and how it would be served.
///
/// A container in a pod has its pod's network, as the pause's spec told it. The workload's own spec
/// must not be asked: CRI makes its path from the pid that we reported for the pause, which is the
/// daemon's, so it names the node's network.
///
/// @param name of the guest in the engine's messages and log lines: pod and container as people
///   know them, else the container's key
/// @param owner on whose behalf programs are compiled: the pod, or a container in none
/// @param seesNodesProcesses whether its pod asks for the node's, which the pause's spec tells
///   alone: the pid namespace of a workload is always that of the pause's process
/// @param nativeContainers whether the container may be one that is not WebAssembly
record Placement(
        String name,
        ContainerKey owner,
        GuestNetwork network,
        boolean seesNodesProcesses,
        Policy policy,
        HttpSettings http,
        boolean nativeContainers) {
    /// @throws InvalidWorkload if its pod is not known, its network is the daemon's own, or one of
    ///   its annotations is wrong
    static Placement of(
            ContainerKey container, RuntimeSpec spec, Pods pods, HandlerProfiles profiles) {
        CriAnnotations cri = CriAnnotations.of(spec);
        if (cri.sandboxId().isEmpty()
                && !cri.containerType().equals(Optional.of(ContainerType.CONTAINER))) {
            HandlerProfiles.Profile profile = profiles.of(Optional.empty());
            return new Placement(
                    container.toString(),
                    container,
                    outsideOfPods(GuestNetwork.of(spec.linux())),
                    Pod.seesNodesProcesses(spec.linux()),
                    profile.policy(),
                    HttpAnnotations.apply(profile.http(), spec.annotations()),
                    profile.nativeContainers());
        }
        Pod pod = pod(container, cri, pods);
        HandlerProfiles.Profile profile = profiles.of(pod.handler());
        Map<String, String> annotations = new HashMap<>(pod.annotations());
        annotations.putAll(spec.annotations());
        return new Placement(
                name(container, cri),
                pod.sandbox(),
                pod.network(),
                pod.seesNodesProcesses(),
                profile.policy(),
                HttpAnnotations.apply(profile.http(), annotations),
                profile.nativeContainers());
    }

    private static String name(ContainerKey container, CriAnnotations cri) {
        return cri.sandboxNamespace().isPresent()
                        && cri.sandboxName().isPresent()
                        && cri.containerName().isPresent()
                ? "%s/%s/%s"
                        .formatted(
                                cri.sandboxNamespace().get(),
                                cri.sandboxName().get(),
                                cri.containerName().get())
                : container.toString();
    }

    private static Pod pod(ContainerKey container, CriAnnotations cri, Pods pods) {
        String sandbox =
                cri.sandboxId()
                        .orElseThrow(() ->
                                new InvalidWorkload(
                                        "container %s is in a pod that is not named: expected annotation %s in its runtime spec"
                                                .formatted(
                                                        container.id(),
                                                        CriAnnotations.SANDBOX_ID)));
        return pods.find(new ContainerKey(container.namespace(), sandbox))
                .orElseThrow(() ->
                        new InvalidWorkload(
                                "pod sandbox %s of container %s is not known here, so its network is not known either: the sandbox has ended, or another runtime made it; delete the pod, so that it is made anew"
                                        .formatted(sandbox, container.id())));
    }

    /// `--net container:OTHER` of some clients gives the path of OTHER's pid, and every guest has
    /// the daemon's.
    private static GuestNetwork outsideOfPods(GuestNetwork network) {
        if (network instanceof GuestNetwork.InNamespace(Path path) && isOwn(path)) {
            throw new InvalidWorkload(
                    "network namespace %s is that of Atoll's daemon, not of a container: name a file such as /run/netns/NAME, or leave the namespace out to share the node's network"
                            .formatted(path));
        }
        return network;
    }

    private static boolean isOwn(Path path) {
        Path clean = path.normalize();
        return clean.getNameCount() >= 2
                && clean.startsWith("/proc")
                && isOwnProcess(clean.getName(1).toString());
    }

    private static boolean isOwnProcess(String name) {
        return name.equals("self")
                || name.equals("thread-self")
                || name.equals(Long.toString(ProcessHandle.current().pid()));
    }
}
