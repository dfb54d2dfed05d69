package dev.atoll.oci.containerd;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.ContentUnavailable;
import dev.atoll.oci.OciException;
import dev.atoll.oci.OneLine;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.okhttp.OkHttpChannelBuilder;
import io.grpc.stub.AbstractBlockingStub;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The connection to containerd's socket: opened by the first call, made anew by gRPC after
/// containerd has restarted. Thread-safe; guarded by this object's lock, which is not held during
/// calls.
final class ContainerdChannel implements AutoCloseable {
    /// containerd sends messages up to 16 MiB (`grpc.max_send_message_size`); gRPC accepts 4 by
    /// itself.
    private static final int MAX_INBOUND = 16 << 20;

    private static final Duration CLOSE_GRACE = Duration.ofSeconds(2);

    /// containerd's `pkg/namespaces`: without this header each call fails.
    private static final Metadata.Key<String> NAMESPACE =
            Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);

    private final Path socket;
    private final Duration deadline;

    @GuardedBy("this")
    private @Nullable Connection connection;

    @GuardedBy("this")
    private boolean closed;

    /// @param deadline of each call, the time to connect included
    ContainerdChannel(Path socket, Duration deadline) {
        this.socket = socket;
        this.deadline = deadline;
    }

    /// Makes one call and translates its failure.
    ///
    /// @param newStub the service's `newBlockingStub`
    /// @param what does the call, for messages: `reading image x`
    <S extends AbstractBlockingStub<S>, T> T call(
            String namespace,
            String what,
            Function<ManagedChannel, S> newStub,
            Function<S, T> call) {
        try {
            return call.apply(stub(namespace, deadline, newStub));
        } catch (StatusRuntimeException e) {
            throw failure(what, e);
        }
    }

    /// @return a stub for a call that the caller makes, such as a stream
    <S extends AbstractBlockingStub<S>> S stub(
            String namespace, Duration callDeadline, Function<ManagedChannel, S> newStub) {
        var headers = new Metadata();
        headers.put(NAMESPACE, namespace);
        return newStub.apply(channel())
                .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                .withWaitForReady()
                .withDeadlineAfter(callDeadline);
    }

    /// Says what a failed call means.
    OciException failure(String what, StatusRuntimeException e) {
        Status status = e.getStatus();
        String reason = OneLine.of(status.getDescription() == null ? "" : status.getDescription());
        return switch (status.getCode()) {
            case NOT_FOUND ->
                    new ContentNotFound(
                            "%s: containerd does not have it: %s".formatted(what, reason), e);
            case DEADLINE_EXCEEDED ->
                    new ContentUnavailable(
                            "%s: containerd did not answer at %s in time: check that it runs and is not overloaded"
                                    .formatted(what, socket),
                            e);
            case UNAVAILABLE, CANCELLED ->
                    new ContentUnavailable(
                            "%s: the connection to containerd at %s was lost (%s): it is made anew by the next attempt"
                                    .formatted(what, socket, reason),
                            e);
            case UNIMPLEMENTED ->
                    new ContentUnavailable(
                            "%s: containerd at %s does not offer this call (%s): expected containerd 1.7 or newer"
                                    .formatted(what, socket, reason),
                            e);
            default ->
                    new ContentUnavailable(
                            "%s: containerd answered %s: %s"
                                    .formatted(what, status.getCode(), reason),
                            e);
        };
    }

    private ManagedChannel channel() {
        ManagedChannel channel;
        synchronized (this) {
            if (closed) {
                throw new ContentUnavailable(
                        "the connection to containerd at %s is closed: the daemon is stopping"
                                .formatted(socket));
            }
            if (connection == null) {
                connection = Connection.open(socket);
            }
            channel = connection.channel();
        }
        // A restart of containerd takes a third of a second, but gRPC's pauses grow to minutes.
        channel.resetConnectBackoff();
        return channel;
    }

    @Override
    public void close() {
        Connection open;
        synchronized (this) {
            closed = true;
            open = connection;
            connection = null;
        }
        if (open != null) {
            open.close();
        }
    }

    private record Connection(ManagedChannel channel, ExecutorService threads) {
        static Connection open(Path socket) {
            ExecutorService threads =
                    Executors.newThreadPerTaskExecutor(
                            Thread.ofVirtual().name("containerd-grpc-", 0).factory());
            ManagedChannel channel =
                    // The address is never used: the factory connects to the socket's path. A
                    // numeric one spares the look-up of a name.
                    OkHttpChannelBuilder.forAddress("127.0.0.1", 1)
                            .overrideAuthority("localhost")
                            .usePlaintext()
                            .socketFactory(new UnixSocketFactory(socket))
                            .proxyDetector(address -> null)
                            .executor(threads)
                            .transportExecutor(threads)
                            .maxInboundMessageSize(MAX_INBOUND)
                            .build();
            return new Connection(channel, threads);
        }

        void close() {
            channel.shutdownNow();
            try {
                channel.awaitTermination(CLOSE_GRACE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            threads.shutdownNow();
        }
    }
}
