package dev.atoll.shim;

import dev.atoll.oci.OciException;
import dev.atoll.oci.containerd.ContainerdClient;
import dev.atoll.shim.log.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks containerd for its version once, on a thread of its own: the first call over gRPC loads
/// some thousand classes, and the first pod should not wait for that. The version is logged.
final class ContainerdGreeting implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ContainerdGreeting.class);

    private final ContainerdClient client;
    private final Thread thread;
    private volatile boolean closed;

    /// @param client owned: closed with this
    ContainerdGreeting(ContainerdClient client) {
        this.client = client;
        this.thread = Thread.ofPlatform().name("containerd-greeting").start(this::greet);
    }

    private void greet() {
        try {
            String version = client.version();
            LOGGER.atInfo().addKeyValue(LogKeys.VERSION, version).log("containerd answers");
        } catch (OciException e) {
            if (closed) {
                return;
            }
            // Not an error: the daemon may be up before containerd, and every later call tries
            // again.
            LOGGER.atInfo()
                    .addKeyValue(LogKeys.ERROR, e.getMessage())
                    .log("containerd does not answer yet");
        }
    }

    /// Ends a call that is under way, and waits for the thread.
    @Override
    public void close() {
        closed = true;
        client.close();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
