package dev.atoll.deploy.cri;

import dev.atoll.cri.v1.ImageServiceGrpc;
import dev.atoll.cri.v1.RuntimeServiceGrpc;
import dev.atoll.oci.containerd.UnixSocketFactory;
import io.grpc.ManagedChannel;
import io.grpc.okhttp.OkHttpChannelBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// A client of containerd's CRI over its UNIX socket. It reconnects by itself after containerd was
/// restarted.
///
/// Thread-safe.
public final class CriClient implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final int LARGEST_MESSAGE = 16 << 20;

    private final ManagedChannel channel;

    private CriClient(ManagedChannel channel) {
        this.channel = channel;
    }

    /// Returns a client of the socket; it connects with the first call.
    public static CriClient connect(Path socket) {
        return new CriClient(
                OkHttpChannelBuilder.forAddress("localhost", 1)
                        .socketFactory(new UnixSocketFactory(socket))
                        .usePlaintext()
                        .maxInboundMessageSize(LARGEST_MESSAGE)
                        .build());
    }

    /// Returns the runtime service; a call that takes more than a minute fails.
    public RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime() {
        return RuntimeServiceGrpc.newBlockingStub(channel)
                .withWaitForReady()
                .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Returns the image service; a call that takes more than a minute fails.
    public ImageServiceGrpc.ImageServiceBlockingStub images() {
        return ImageServiceGrpc.newBlockingStub(channel)
                .withWaitForReady()
                .withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
