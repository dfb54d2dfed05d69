package dev.atoll.oci.containerd;

import com.google.protobuf.Empty;
import dev.atoll.containerd.containers.v1.Container;
import dev.atoll.containerd.containers.v1.ContainersGrpc;
import dev.atoll.containerd.containers.v1.GetContainerRequest;
import dev.atoll.containerd.images.v1.GetImageRequest;
import dev.atoll.containerd.images.v1.ImagesGrpc;
import dev.atoll.containerd.version.v1.VersionGrpc;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.Digest;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.CriPodReader;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/// containerd's gRPC API as far as finding and reading a program needs it. Thread-safe. Nothing is
/// connected before the first call.
///
/// All methods block, at most for the deadlines given, and throw
/// - [ContentNotFound] for what containerd does not have,
/// - [dev.atoll.oci.ContentUnavailable] if it does not answer or fails,
/// - [dev.atoll.oci.InvalidImage] if content is not what its descriptor says.
public final class ContainerdClient implements AutoCloseable {
    /// containerd, `internal/cri/labels`; the value is the Go type `sandboxstore.Metadata`.
    private static final String SANDBOX_METADATA = "io.cri-containerd.sandbox.metadata";

    private static final Duration CALL_DEADLINE = Duration.ofSeconds(10);
    private static final Duration READ_DEADLINE = Duration.ofMinutes(2);

    private final ContainerdChannel channel;
    private final BlobReader blobs;

    /// @param socket containerd's, usually `/run/containerd/containerd.sock`
    public ContainerdClient(Path socket) {
        this(socket, CALL_DEADLINE, READ_DEADLINE, InstantSource.system());
    }

    ContainerdClient(
            Path socket, Duration callDeadline, Duration readDeadline, InstantSource clock) {
        this.channel = new ContainerdChannel(socket, callDeadline);
        this.blobs =
                new BlobReader(channel, new Leases(channel, clock, readDeadline), readDeadline);
    }

    /// @return containerd's version as it writes it: `v2.1.9`, or a distribution's own
    public String version() {
        return channel.call(
                        // The call looks at no namespace, but an interceptor insists on the header.
                        "default",
                        "asking for containerd's version",
                        VersionGrpc::newBlockingStub,
                        stub -> stub.version(Empty.getDefaultInstance()))
                .getVersion();
    }

    public ContainerRecord container(ContainerKey key) {
        Container container = record(key);
        return new ContainerRecord(
                container.getId(),
                Optional.of(container.getImage()).filter(image -> !image.isEmpty()));
    }

    /// What CRI wrote down about a pod, with the container of its pause.
    ///
    /// @return empty if containerd has no such container, or another client than CRI made it
    /// @throws dev.atoll.oci.InvalidSpec if it is not what CRI writes
    public Optional<CriPod> pod(ContainerKey pause) {
        Container container;
        try {
            container = record(pause);
        } catch (ContentNotFound _) {
            return Optional.empty();
        }
        return Optional.ofNullable(container.getExtensionsMap().get(SANDBOX_METADATA))
                .map(metadata -> CriPodReader.parse(metadata.getValue().toByteArray(), pause));
    }

    private Container record(ContainerKey key) {
        return channel.call(
                        key.namespace(),
                        "reading the record of container " + key,
                        ContainersGrpc::newBlockingStub,
                        stub -> stub.get(GetContainerRequest.newBuilder().setId(key.id()).build()))
                .getContainer();
    }

    /// @return what the image's name refers to: a manifest or an index
    public Descriptor image(String namespace, String name) {
        dev.atoll.containerd.types.Descriptor target =
                channel.call(
                                namespace,
                                "reading image " + OneLine.of(name),
                                ImagesGrpc::newBlockingStub,
                                stub ->
                                        stub.get(
                                                GetImageRequest.newBuilder().setName(name).build()))
                        .getImage()
                        .getTarget();
        return new Descriptor(
                target.getMediaType(),
                Digest.parse(target.getDigest()),
                target.getSize(),
                target.getAnnotationsMap(),
                Optional.empty());
    }

    /// Reads a document such as a manifest into memory, under a lease.
    ///
    /// @param subject what the content is, for messages: `the manifest of image x`
    public byte[] read(String namespace, Descriptor content, String subject, int maxBytes) {
        return blobs.read(namespace, content, subject, maxBytes);
    }

    /// Writes content to the new file `target`, under a lease; gzip is undone, whether the media
    /// type names it or only the bytes show it. On failure there is no `target`.
    ///
    /// @param subject what the content is, for messages: `layer "app.wasm" of image x`
    /// @param maxBytes greatest accepted size, stored as well as uncompressed
    public void copy(
            String namespace, Descriptor content, String subject, Path target, long maxBytes) {
        blobs.copy(namespace, content, subject, target, maxBytes);
    }

    @Override
    public void close() {
        channel.close();
    }
}
