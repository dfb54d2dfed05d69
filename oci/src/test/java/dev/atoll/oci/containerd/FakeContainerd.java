package dev.atoll.oci.containerd;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import dev.atoll.containerd.containers.v1.Container;
import dev.atoll.containerd.containers.v1.ContainersGrpc;
import dev.atoll.containerd.containers.v1.GetContainerRequest;
import dev.atoll.containerd.containers.v1.GetContainerResponse;
import dev.atoll.containerd.content.v1.ContentGrpc;
import dev.atoll.containerd.content.v1.Info;
import dev.atoll.containerd.content.v1.InfoRequest;
import dev.atoll.containerd.content.v1.InfoResponse;
import dev.atoll.containerd.content.v1.ReadContentRequest;
import dev.atoll.containerd.content.v1.ReadContentResponse;
import dev.atoll.containerd.images.v1.GetImageRequest;
import dev.atoll.containerd.images.v1.GetImageResponse;
import dev.atoll.containerd.images.v1.Image;
import dev.atoll.containerd.images.v1.ImagesGrpc;
import dev.atoll.containerd.leases.v1.AddResourceRequest;
import dev.atoll.containerd.leases.v1.CreateRequest;
import dev.atoll.containerd.leases.v1.CreateResponse;
import dev.atoll.containerd.leases.v1.DeleteRequest;
import dev.atoll.containerd.leases.v1.Lease;
import dev.atoll.containerd.leases.v1.LeasesGrpc;
import dev.atoll.containerd.version.v1.VersionGrpc;
import dev.atoll.containerd.version.v1.VersionResponse;
import dev.atoll.oci.Digest;
import dev.atoll.oci.image.Descriptor;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.okhttp.OkHttpServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// containerd's services over a real UNIX-domain socket, backed by maps. The real one is for the
/// end-to-end tests; this one also tells lies that a damaged store would tell.
public final class FakeContainerd implements AutoCloseable {
    private static final int CHUNK = 1000;

    private final Path socket;
    private final Map<String, String> containers = new ConcurrentHashMap<>();
    private final Map<String, String> sandboxes = new ConcurrentHashMap<>();
    private final Map<String, Descriptor> images = new ConcurrentHashMap<>();
    private final Map<String, byte[]> contents = new ConcurrentHashMap<>();
    private final Map<String, Long> sizes = new ConcurrentHashMap<>();
    private final Set<String> leases = ConcurrentHashMap.newKeySet();

    /// What happened, in order: `lease`, `add`, `read`, `delete`.
    public final List<String> calls = new CopyOnWriteArrayList<>();

    /// The namespaces that callers named.
    public final Set<String> namespaces = ConcurrentHashMap.newKeySet();

    /// Labels of the leases made.
    public final Map<String, String> leaseLabels = new ConcurrentHashMap<>();

    /// Makes deleting leases fail.
    public volatile boolean leasesStick;

    /// Makes calls for a container never answer.
    public volatile boolean silent;

    private Server server;

    public FakeContainerd(Path socket) throws IOException {
        this.socket = socket;
        this.server = start();
    }

    public void container(String id, String image) {
        containers.put(id, image);
    }

    /// Keeps `metadata` with a container, as CRI does with a pod's pause.
    public void sandbox(String id, String metadata) {
        sandboxes.put(id, metadata);
    }

    public void image(String name, Descriptor target) {
        images.put(name, target);
    }

    /// Stores a text.
    ///
    /// @return its descriptor
    public Descriptor content(String mediaType, String text) {
        return content(mediaType, text.getBytes(StandardCharsets.UTF_8));
    }

    /// Stores bytes.
    ///
    /// @return their descriptor
    public Descriptor content(String mediaType, byte[] bytes) {
        Descriptor descriptor = descriptor("sha256", mediaType, bytes);
        contents.put(descriptor.digest().toString(), bytes);
        return descriptor;
    }

    /// Stores other bytes than the digest says, as a damaged disk would.
    public void damage(Digest digest, byte[] bytes) {
        contents.put(digest.toString(), bytes);
    }

    /// Makes `Info` say another size.
    public void claimSize(Digest digest, long size) {
        sizes.put(digest.toString(), size);
    }

    public void remove(Digest digest) {
        contents.remove(digest.toString());
    }

    public Set<String> leases() {
        return Set.copyOf(leases);
    }

    /// Ends all connections and listens anew, as after a crash.
    public void restart() throws IOException {
        stop();
        server = start();
    }

    public static Descriptor descriptor(String algorithm, String mediaType, byte[] bytes) {
        try {
            MessageDigest hash =
                    MessageDigest.getInstance(algorithm.equals("sha256") ? "SHA-256" : "SHA-512");
            return new Descriptor(
                    mediaType,
                    new Digest(algorithm, HexFormat.of().formatHex(hash.digest(bytes))),
                    bytes.length);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        stop();
    }

    private Server start() throws IOException {
        return OkHttpServerBuilder.forPort(
                        new InetSocketAddress(0), InsecureServerCredentials.create())
                .socketFactory(new UnixServerSocketFactory(socket))
                .intercept(new NamespaceCheck())
                .addService(new Containers())
                .addService(new Images())
                .addService(new Content())
                .addService(new Leases())
                .addService(new Version())
                .build()
                .start();
    }

    private void stop() throws IOException {
        try {
            server.shutdownNow().awaitTermination();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while containerd was to stop", e);
        }
        Files.deleteIfExists(socket);
    }

    private static <T> void answer(StreamObserver<T> observer, T value) {
        observer.onNext(value);
        observer.onCompleted();
    }

    private static void notFound(StreamObserver<?> observer, String what) {
        observer.onError(
                Status.NOT_FOUND.withDescription(what + ": not found").asRuntimeException());
    }

    private final class NamespaceCheck implements ServerInterceptor {
        private static final Metadata.Key<String> KEY =
                Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);

        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String namespace = headers.get(KEY);
            if (namespace == null) {
                call.close(
                        Status.FAILED_PRECONDITION.withDescription("namespace is required"),
                        new Metadata());
                return new ServerCall.Listener<>() {};
            }
            namespaces.add(namespace);
            return next.startCall(call, headers);
        }
    }

    private final class Containers extends ContainersGrpc.ContainersImplBase {
        @Override
        public void get(GetContainerRequest request, StreamObserver<GetContainerResponse> out) {
            if (silent) {
                return;
            }
            String image = containers.get(request.getId());
            if (image == null) {
                notFound(out, "container \"" + request.getId() + "\"");
                return;
            }
            Container.Builder container =
                    Container.newBuilder().setId(request.getId()).setImage(image);
            String metadata = sandboxes.get(request.getId());
            if (metadata != null) {
                container.putExtensions(
                        "io.cri-containerd.sandbox.metadata",
                        Any.newBuilder()
                                .setTypeUrl("github.com/containerd/cri/pkg/store/sandbox/Metadata")
                                .setValue(ByteString.copyFromUtf8(metadata))
                                .build());
            }
            answer(out, GetContainerResponse.newBuilder().setContainer(container).build());
        }
    }

    private final class Images extends ImagesGrpc.ImagesImplBase {
        @Override
        public void get(GetImageRequest request, StreamObserver<GetImageResponse> out) {
            Descriptor target = images.get(request.getName());
            if (target == null) {
                notFound(out, "image \"" + request.getName() + "\"");
                return;
            }
            answer(
                    out,
                    GetImageResponse.newBuilder()
                            .setImage(
                                    Image.newBuilder()
                                            .setName(request.getName())
                                            .setTarget(
                                                    dev.atoll.containerd.types.Descriptor
                                                            .newBuilder()
                                                            .setMediaType(target.mediaType())
                                                            .setDigest(target.digest().toString())
                                                            .setSize(target.size())))
                            .build());
        }
    }

    private final class Content extends ContentGrpc.ContentImplBase {
        @Override
        public void info(InfoRequest request, StreamObserver<InfoResponse> out) {
            byte[] bytes = contents.get(request.getDigest());
            if (bytes == null) {
                notFound(out, "content digest " + request.getDigest());
                return;
            }
            long size = sizes.getOrDefault(request.getDigest(), (long) bytes.length);
            answer(
                    out,
                    InfoResponse.newBuilder()
                            .setInfo(Info.newBuilder().setDigest(request.getDigest()).setSize(size))
                            .build());
        }

        @Override
        public void read(ReadContentRequest request, StreamObserver<ReadContentResponse> out) {
            calls.add("read");
            byte[] bytes = contents.get(request.getDigest());
            if (bytes == null) {
                notFound(out, "content digest " + request.getDigest());
                return;
            }
            for (int offset = 0; offset < bytes.length; offset += CHUNK) {
                int size = Math.min(CHUNK, bytes.length - offset);
                out.onNext(
                        ReadContentResponse.newBuilder()
                                .setOffset(offset)
                                .setData(ByteString.copyFrom(bytes, offset, size))
                                .build());
            }
            out.onCompleted();
        }
    }

    private final class Leases extends LeasesGrpc.LeasesImplBase {
        @Override
        public void create(CreateRequest request, StreamObserver<CreateResponse> out) {
            calls.add("lease");
            leases.add(request.getId());
            leaseLabels.putAll(request.getLabelsMap());
            answer(
                    out,
                    CreateResponse.newBuilder()
                            .setLease(Lease.newBuilder().setId(request.getId()))
                            .build());
        }

        @Override
        public void addResource(AddResourceRequest request, StreamObserver<Empty> out) {
            calls.add("add");
            if (!leases.contains(request.getId())
                    || !request.getResource().getType().equals("content")) {
                notFound(out, "lease or resource");
                return;
            }
            answer(out, Empty.getDefaultInstance());
        }

        @Override
        public void delete(DeleteRequest request, StreamObserver<Empty> out) {
            calls.add("delete");
            if (leasesStick) {
                out.onError(Status.INTERNAL.withDescription("database is stuck").asException());
                return;
            }
            leases.remove(request.getId());
            answer(out, Empty.getDefaultInstance());
        }
    }

    private static final class Version extends VersionGrpc.VersionImplBase {
        @Override
        public void version(Empty request, StreamObserver<VersionResponse> out) {
            answer(out, VersionResponse.newBuilder().setVersion("v2.1.9").build());
        }
    }
}
