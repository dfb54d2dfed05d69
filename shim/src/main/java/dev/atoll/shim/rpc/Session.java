package dev.atoll.shim.rpc;

/// What is remembered of one connection between its calls: containerd opens one for each container.
/// Thread-safe.
public final class Session {
    private volatile String namespace = "";

    /// The namespace of the container that was created over this connection; empty before that.
    public String namespace() {
        return namespace;
    }

    public void remember(String created) {
        namespace = created;
    }
}
