package dev.atoll.shim;

import dev.atoll.shim.grpc.ApiServer;
import dev.atoll.shim.log.LogKeys;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts the gRPC server in the background: it takes longer than all the rest, and containerd does
/// not wait for it. Thread-safe.
final class LateApiServer implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(LateApiServer.class);

    /// Starts the server.
    @FunctionalInterface
    interface Starter {
        ApiServer start() throws IOException;
    }

    private final Thread thread;
    private volatile @Nullable ApiServer server;

    LateApiServer(Starter starter) {
        thread = Thread.ofPlatform().name("api-start").start(() -> start(starter));
    }

    private void start(Starter starter) {
        try {
            server = starter.start();
        } catch (IOException | RuntimeException e) {
            LOGGER.atError()
                    .addKeyValue(LogKeys.ERROR, e.getMessage())
                    .log("the API is not served: the command line will not reach this daemon");
        }
    }

    @Override
    public void close() throws IOException {
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        ApiServer started = server;
        if (started != null) {
            started.close();
        }
    }
}
