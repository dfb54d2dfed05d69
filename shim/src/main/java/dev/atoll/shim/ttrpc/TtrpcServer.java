package dev.atoll.shim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.socket.UnixListener;
import dev.atoll.shim.status.StatusMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves ttrpc on a UNIX-domain socket. One thread, `ttrpc`, reads and writes all connections and
/// runs the quick methods; every other call has a virtual thread. Thread-safe.
public final class TtrpcServer implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TtrpcServer.class);
    private static final long ACCEPT_PAUSE_MILLIS = 100;
    private static final int SCRATCH_BYTES = 64 << 10;
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final UnixListener listener;
    private final PeerCheck peers;
    private final MethodTable methods;
    private final Selector selector;
    private final Queue<Connection> toWrite = new ConcurrentLinkedQueue<>();
    private final ExecutorService calls =
            Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("call-", 0).factory());
    private final Thread loop;
    private final Connection.Host host = new LoopHost();
    private final SelectionKey acceptKey;

    /// Confined to the loop.
    private boolean acceptPaused;

    private volatile boolean stopping;

    private TtrpcServer(UnixListener listener, PeerCheck peers, MethodTable methods)
            throws IOException {
        this.listener = listener;
        this.peers = peers;
        this.methods = methods;
        this.selector = Selector.open();
        listener.channel().configureBlocking(false);
        this.acceptKey = listener.channel().register(selector, SelectionKey.OP_ACCEPT);
        this.loop = Thread.ofPlatform().name("ttrpc").unstarted(this::run);
    }

    /// Binds `socket` and serves; when this returns, clients can connect.
    ///
    /// @throws IOException with one line if another daemon answers there, or it cannot be bound
    public static TtrpcServer start(Path socket, PeerCheck peers, List<RpcService> services)
            throws IOException {
        UnixListener listener = UnixListener.bind(socket);
        try {
            TtrpcServer server = new TtrpcServer(listener, peers, new MethodTable(services));
            server.loop.start();
            return server;
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    private void run() {
        ByteBuffer scratch = ByteBuffer.allocateDirect(SCRATCH_BYTES);
        while (!stopping) {
            try {
                selector.select(key -> ready(key, scratch), acceptPaused ? ACCEPT_PAUSE_MILLIS : 0);
                resumeAccepting();
                writeQueued();
            } catch (IOException | RuntimeException e) {
                LOGGER.atError().setCause(e).log("ttrpc loop failed, going on");
            }
        }
        writeQueued();
        selector.keys().forEach(TtrpcServer::closeKey);
    }

    /// Without descriptors left, a waiting client would keep the loop spinning.
    private void resumeAccepting() {
        if (acceptPaused) {
            acceptPaused = false;
            acceptKey.interestOps(SelectionKey.OP_ACCEPT);
        }
    }

    private static void closeKey(SelectionKey key) {
        if (key.attachment() instanceof Connection connection) {
            connection.close();
        }
    }

    private void ready(SelectionKey key, ByteBuffer scratch) {
        if (!(key.attachment() instanceof Connection connection)) {
            accept((ServerSocketChannel) key.channel());
            return;
        }
        try {
            if (key.isReadable() && !connection.read(scratch)) {
                connection.close();
                return;
            }
            if (key.isWritable()) {
                connection.write();
            }
        } catch (ProtocolViolation e) {
            LOGGER.atWarn()
                    .addKeyValue(LogKeys.ERROR, e.getMessage())
                    .log("connection closed: what came is not ttrpc");
            connection.close();
        } catch (IOException e) {
            broken(connection, e);
        } catch (CancelledKeyException _) {
            connection.close();
        }
    }

    private void accept(ServerSocketChannel server) {
        SocketChannel channel;
        try {
            channel = server.accept();
        } catch (IOException e) {
            LOGGER.atWarn().addKeyValue(LogKeys.ERROR, e.getMessage()).log("accept failed");
            acceptPaused = true;
            acceptKey.interestOps(0);
            return;
        }
        if (channel == null) {
            return;
        }
        try {
            peers.check(channel);
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            key.attach(new Connection(host, channel, key));
        } catch (IOException e) {
            LOGGER.atWarn().addKeyValue(LogKeys.ERROR, e.getMessage()).log("connection refused");
            try {
                channel.close();
            } catch (IOException _) {
                // It was never used, and its descriptor is released all the same.
            }
        }
    }

    private void writeQueued() {
        for (Connection next = toWrite.poll(); next != null; next = toWrite.poll()) {
            try {
                next.write();
            } catch (IOException e) {
                broken(next, e);
            } catch (CancelledKeyException _) {
                next.close();
            }
        }
    }

    private static void broken(Connection connection, IOException error) {
        LOGGER.atDebug().addKeyValue(LogKeys.ERROR, error.getMessage()).log("connection broke");
        connection.close();
    }

    private static void invoke(
            MethodTable.Bound<?, ?> bound,
            String method,
            CallContext context,
            ByteString payload,
            Responder<MessageLite> responder) {
        try {
            bound.invoke(context, payload, responder);
        } catch (RuntimeException | StackOverflowError | AssertionError e) {
            if (StatusMapper.isRefusal(e)) {
                LOGGER.atDebug()
                        .addKeyValue(LogKeys.RPC, method)
                        .addKeyValue(LogKeys.ERROR, e.getMessage())
                        .log("call refused");
            } else {
                LOGGER.atError().addKeyValue(LogKeys.RPC, method).setCause(e).log("call failed");
            }
            responder.fail(e);
        }
    }

    /// Stops accepting and reading, gives running calls a moment to end, and removes the socket.
    @Override
    public void close() throws IOException {
        stopping = true;
        selector.wakeup();
        calls.shutdown();
        try {
            if (!calls.awaitTermination(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
                calls.shutdownNow();
            }
            if (Thread.currentThread() != loop) {
                loop.join(GRACE);
            }
        } catch (InterruptedException _) {
            calls.shutdownNow();
            Thread.currentThread().interrupt();
        }
        try (listener) {
            selector.close();
        }
    }

    /// What connections ask of the loop.
    private final class LoopHost implements Connection.Host {
        @Override
        public void wakeForWriting(Connection connection) {
            toWrite.add(connection);
            if (Thread.currentThread() != loop) {
                selector.wakeup();
            }
        }

        @Override
        public void dispatch(
                String service,
                String method,
                CallContext context,
                ByteString payload,
                Responder<MessageLite> responder) {
            try {
                MethodTable.Bound<?, ?> bound = methods.find(service, method);
                if (bound.quick()) {
                    invoke(bound, method, context, payload, responder);
                } else {
                    calls.execute(() -> invoke(bound, method, context, payload, responder));
                }
            } catch (RuntimeException e) {
                responder.fail(e);
            }
        }
    }
}
