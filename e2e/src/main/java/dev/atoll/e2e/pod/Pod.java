package dev.atoll.e2e.pod;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.cri.v1.ContainerMetadata;
import dev.atoll.cri.v1.CreateContainerRequest;
import dev.atoll.cri.v1.ImageSpec;
import dev.atoll.cri.v1.ImageStatusRequest;
import dev.atoll.cri.v1.LinuxContainerConfig;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.LinuxContainerSecurityContext;
import dev.atoll.cri.v1.PodSandboxConfig;
import dev.atoll.cri.v1.PodSandboxStatus;
import dev.atoll.cri.v1.PodSandboxStatusRequest;
import dev.atoll.cri.v1.PodSandboxStatusResponse;
import dev.atoll.cri.v1.PortForwardRequest;
import dev.atoll.cri.v1.PullImageRequest;
import dev.atoll.cri.v1.RemovePodSandboxRequest;
import dev.atoll.cri.v1.RunPodSandboxRequest;
import dev.atoll.cri.v1.StopPodSandboxRequest;
import dev.atoll.e2e.net.NetworkNamespace;
import dev.atoll.e2e.node.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.Map;
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
    private final PodRequest request;
    private final PodCgroup cgroup;
    private final String id;
    private final AtomicInteger containers = new AtomicInteger();

    private Pod(Node node, PodRequest request, PodCgroup cgroup, String id) {
        this.node = node;
        this.request = request;
        this.cgroup = cgroup;
        this.id = id;
    }

    /// Runs an empty pod.
    public static Pod run(Node node, PodRequest request) {
        PodSandboxConfig config = request.config();
        PodCgroup cgroup = PodCgroup.make(node, config.getLinux().getCgroupParent());
        try {
            Files.createDirectories(node.path(config.getLogDirectory()));
        } catch (IOException e) {
            throw new UncheckedIOException("make the log directory of " + request, e);
        }
        String id =
                node.cri()
                        .runtime()
                        .runPodSandbox(
                                RunPodSandboxRequest.newBuilder()
                                        .setConfig(config)
                                        .setRuntimeHandler(request.handler())
                                        .build())
                        .getPodSandboxId();
        return new Pod(node, request, cgroup, id);
    }

    /// Runs an empty pod of a runtime handler.
    public static Pod run(Node node, String handler) {
        return run(node, PodRequest.of(handler));
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

    /// Returns the sandbox's id.
    public String id() {
        return id;
    }

    /// Returns the pod's name.
    public String name() {
        return request.config().getMetadata().getName();
    }

    /// Returns the sandbox's status.
    public PodSandboxStatus status() {
        return node.cri()
                .runtime()
                .podSandboxStatus(PodSandboxStatusRequest.newBuilder().setPodSandboxId(id).build())
                .getStatus();
    }

    /// Returns the pod's address on the pod network.
    public String address() {
        return status().getNetwork().getIp();
    }

    /// Returns the pod's network namespace, for the caller to close.
    public NetworkNamespace network() {
        PodSandboxStatusResponse verbose =
                node.cri()
                        .runtime()
                        .podSandboxStatus(
                                PodSandboxStatusRequest.newBuilder()
                                        .setPodSandboxId(id)
                                        .setVerbose(true)
                                        .build());
        JsonObject info = JsonParser.parseString(verbose.getInfoOrThrow("info")).getAsJsonObject();
        for (JsonElement namespace :
                info.getAsJsonObject("runtimeSpec")
                        .getAsJsonObject("linux")
                        .getAsJsonArray("namespaces")) {
            JsonObject of = namespace.getAsJsonObject();
            if (of.get("type").getAsString().equals("network")) {
                // (/var/run is a link to /run, and from outside it would lead to the machine's)
                String path = of.get("path").getAsString().replaceFirst("^/var/run/", "/run/");
                return NetworkNamespace.of(node.path(path));
            }
        }
        throw new IllegalStateException("pod " + id + " has no network of its own");
    }

    /// Has containerd forward connections to ports of the pod.
    ///
    /// @return where containerd waits for them: an address inside the node
    public URI forward(int port) {
        return URI.create(
                node.cri()
                        .runtime()
                        .portForward(
                                PortForwardRequest.newBuilder()
                                        .setPodSandboxId(id)
                                        .addPort(port)
                                        .build())
                        .getUrl());
    }

    /// Pulls the image and creates a container.
    public PodContainer create(ContainerRequest container) {
        String image = container.config().getImage().getImage();
        pull(node, image);
        int number = containers.getAndIncrement();
        var builder = container.config().toBuilder();
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
            Files.createDirectories(node.path(request.config().getLogDirectory() + "/" + name));
        } catch (IOException e) {
            throw new UncheckedIOException("make the log directory of container " + name, e);
        }
        String created =
                node.cri()
                        .runtime()
                        .createContainer(
                                CreateContainerRequest.newBuilder()
                                        .setPodSandboxId(id)
                                        .setConfig(builder)
                                        .setSandboxConfig(request.config())
                                        .build())
                        .getContainerId();
        return new PodContainer(node, created);
    }

    /// Pulls the image, creates a container and starts it.
    public PodContainer start(ContainerRequest container) {
        return create(container).start();
    }

    /// What a kubelet says of a container without requests and limits.
    private LinuxContainerConfig defaults(LinuxContainerConfig asked) {
        return LinuxContainerConfig.newBuilder()
                .setResources(
                        LinuxContainerResources.newBuilder()
                                .setCpuShares(2)
                                .setCpuPeriod(100_000)
                                .setOomScoreAdj(1000))
                .setSecurityContext(
                        LinuxContainerSecurityContext.newBuilder()
                                .setNamespaceOptions(request.containerNamespaces()))
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
