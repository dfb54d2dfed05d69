package dev.atoll.e2e.pod;

import dev.atoll.cri.v1.ContainerMetadata;
import dev.atoll.cri.v1.CreateContainerRequest;
import dev.atoll.cri.v1.DNSConfig;
import dev.atoll.cri.v1.ImageSpec;
import dev.atoll.cri.v1.ImageStatusRequest;
import dev.atoll.cri.v1.LinuxContainerConfig;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.LinuxContainerSecurityContext;
import dev.atoll.cri.v1.LinuxPodSandboxConfig;
import dev.atoll.cri.v1.LinuxSandboxSecurityContext;
import dev.atoll.cri.v1.NamespaceMode;
import dev.atoll.cri.v1.NamespaceOption;
import dev.atoll.cri.v1.PodSandboxConfig;
import dev.atoll.cri.v1.PodSandboxMetadata;
import dev.atoll.cri.v1.PodSandboxStatus;
import dev.atoll.cri.v1.PodSandboxStatusRequest;
import dev.atoll.cri.v1.PullImageRequest;
import dev.atoll.cri.v1.RemovePodSandboxRequest;
import dev.atoll.cri.v1.RunPodSandboxRequest;
import dev.atoll.cri.v1.StopPodSandboxRequest;
import dev.atoll.e2e.node.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/// A pod on a node, made as a kubelet makes it: its cgroup and log directory first, images pulled
/// through CRI, then the sandbox, then its containers. Closing it stops and removes the pod with
/// all its containers.
public final class Pod implements AutoCloseable {
    /// The runtime handler of Atoll.
    public static final String WASMTIME = "wasmtime";

    /// The runtime handler of native containers.
    public static final String RUNC = "runc";

    private final Node node;
    private final PodSandboxConfig config;
    private final PodCgroup cgroup;
    private final String id;
    private final AtomicInteger containers = new AtomicInteger();

    private Pod(Node node, PodSandboxConfig config, PodCgroup cgroup, String id) {
        this.node = node;
        this.config = config;
        this.cgroup = cgroup;
        this.id = id;
    }

    /// Runs an empty pod of a runtime handler.
    public static Pod run(Node node, String handler) {
        String uid = UUID.randomUUID().toString();
        PodSandboxConfig config = configOf(uid);
        PodCgroup cgroup = PodCgroup.make(node, config.getLinux().getCgroupParent());
        try {
            Files.createDirectories(node.path(config.getLogDirectory()));
        } catch (IOException e) {
            throw new UncheckedIOException("make the log directory of pod " + uid, e);
        }
        String id =
                node.cri()
                        .runtime()
                        .runPodSandbox(
                                RunPodSandboxRequest.newBuilder()
                                        .setConfig(config)
                                        .setRuntimeHandler(handler)
                                        .build())
                        .getPodSandboxId();
        return new Pod(node, config, cgroup, id);
    }

    /// Runs an empty pod of Atoll.
    public static Pod run(Node node) {
        return run(node, WASMTIME);
    }

    /// Pulls an image as a kubelet does: unless it is there.
    public static void pull(Node node, String image) {
        ImageSpec spec = ImageSpec.newBuilder().setImage(image).build();
        boolean present =
                node.cri()
                        .images()
                        .imageStatus(ImageStatusRequest.newBuilder().setImage(spec).build())
                        .hasImage();
        if (!present) {
            node.cri().images().pullImage(PullImageRequest.newBuilder().setImage(spec).build());
        }
    }

    private static PodSandboxConfig configOf(String uid) {
        String name = "pod-" + uid.substring(0, 8);
        return PodSandboxConfig.newBuilder()
                .setMetadata(
                        PodSandboxMetadata.newBuilder()
                                .setName(name)
                                .setUid(uid)
                                .setNamespace("default"))
                .setHostname(name)
                .setLogDirectory("/var/log/pods/default_%s_%s".formatted(name, uid))
                .setDnsConfig(
                        DNSConfig.newBuilder()
                                .addServers("10.96.0.10")
                                .addSearches("default.svc.cluster.local"))
                .putAllLabels(
                        Map.of(
                                "io.kubernetes.pod.name", name,
                                "io.kubernetes.pod.namespace", "default",
                                "io.kubernetes.pod.uid", uid))
                .setLinux(
                        LinuxPodSandboxConfig.newBuilder()
                                .setCgroupParent("/kubepods/besteffort/pod" + uid)
                                .setSecurityContext(
                                        LinuxSandboxSecurityContext.newBuilder()
                                                .setNamespaceOptions(namespaces())))
                .build();
    }

    private static NamespaceOption namespaces() {
        return NamespaceOption.newBuilder()
                .setNetwork(NamespaceMode.POD)
                .setPid(NamespaceMode.CONTAINER)
                .setIpc(NamespaceMode.POD)
                .build();
    }

    /// Returns the sandbox's id.
    public String id() {
        return id;
    }

    /// Returns the pod's name.
    public String name() {
        return config.getMetadata().getName();
    }

    /// Returns the sandbox's status.
    public PodSandboxStatus status() {
        return node.cri()
                .runtime()
                .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build())
                .getStatus();
    }

    /// Pulls the image and creates a container.
    public PodContainer create(ContainerRequest request) {
        String image = request.config().getImage().getImage();
        pull(node, image);
        int number = containers.getAndIncrement();
        var builder = request.config().toBuilder();
        if (!builder.hasMetadata()) {
            builder.setMetadata(ContainerMetadata.newBuilder().setName("app-" + number));
        }
        String name = builder.getMetadata().getName();
        builder.setLogPath("%s/%d.log".formatted(name, number))
                .putAllLabels(
                        Map.of(
                                "io.kubernetes.container.name",
                                name,
                                "io.kubernetes.pod.name",
                                name(),
                                "io.kubernetes.pod.namespace",
                                "default"))
                .setLinux(defaults(builder.getLinux()));
        try {
            Files.createDirectories(node.path(config.getLogDirectory() + "/" + name));
        } catch (IOException e) {
            throw new UncheckedIOException("make the log directory of container " + name, e);
        }
        String container =
                node.cri()
                        .runtime()
                        .createContainer(
                                CreateContainerRequest.newBuilder()
                                        .setPodSandboxId(id)
                                        .setConfig(builder)
                                        .setSandboxConfig(config)
                                        .build())
                        .getContainerId();
        return new PodContainer(node, container);
    }

    /// Pulls the image, creates a container and starts it.
    public PodContainer start(ContainerRequest request) {
        return create(request).start();
    }

    /// What a kubelet says of a container without requests and limits.
    private static LinuxContainerConfig defaults(LinuxContainerConfig asked) {
        return LinuxContainerConfig.newBuilder()
                .setResources(
                        LinuxContainerResources.newBuilder()
                                .setCpuShares(2)
                                .setCpuPeriod(100_000)
                                .setOomScoreAdj(1000))
                .setSecurityContext(
                        LinuxContainerSecurityContext.newBuilder()
                                .setNamespaceOptions(namespaces()))
                .build()
                .toBuilder()
                .mergeFrom(asked)
                .build();
    }

    /// Stops the pod: its containers end and its network goes.
    public void stop() {
        node.cri()
                .runtime()
                .stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build());
    }

    @Override
    public void close() {
        stop();
        node.cri()
                .runtime()
                .removePodSandbox(RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build());
        cgroup.remove();
    }
}
