package dev.atoll.shim.grpc;

import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.socket.UnixListener;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.okhttp.OkHttpServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// Serves gRPC on a UNIX-domain socket; every call has a virtual thread. Thread-safe.
public final class ApiServer implements AutoCloseable {
    private static final int MAX_MESSAGE_BYTES = 16 << 20;
    private static final long GRACE_MILLIS = 500;

    private final UnixListener listener;
    private final ExecutorService calls;
    private final Server server;

    private ApiServer(UnixListener listener, ExecutorService calls, Server server) {
        this.listener = listener;
        this.calls = calls;
        this.server = server;
    }

    /// @throws IOException with one line if another daemon answers there, or it cannot be bound
    public static ApiServer start(Path socket, PeerCheck peers, List<RpcService> services)
            throws IOException {
        UnixListener listener = UnixListener.bind(socket);
        ExecutorService calls =
                Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("api-", 0).factory());
        try {
            OkHttpServerBuilder builder =
                    OkHttpServerBuilder.forPort(
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                                    InsecureServerCredentials.create())
                            .socketFactory(
                                    new ListenerServerSocket.Factory(
                                            new ListenerServerSocket(listener, peers)))
                            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                            .executor(calls);
            builder.transportExecutor(calls);
            for (RpcService service : services) {
                builder.addService(GrpcServices.definition(service));
            }
            return new ApiServer(listener, calls, builder.build().start());
        } catch (IOException | RuntimeException e) {
            calls.shutdownNow();
            listener.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        server.shutdown();
        try {
            if (!server.awaitTermination(GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
            }
        } catch (InterruptedException _) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        calls.shutdownNow();
        listener.close();
    }
}
