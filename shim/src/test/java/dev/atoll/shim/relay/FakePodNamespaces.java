package dev.atoll.shim.relay;

import java.nio.file.Path;

/// Namespaces by name only.
final class FakePodNamespaces implements PodNamespaces {
    private volatile boolean closed;

    @Override
    public Path ipc() {
        return Path.of("/pod/ipc");
    }

    @Override
    public Path uts() {
        return Path.of("/pod/uts");
    }

    @Override
    public Path pid() {
        return Path.of("/pod/pid");
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
    }
}
