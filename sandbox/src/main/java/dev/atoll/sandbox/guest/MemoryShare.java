package dev.atoll.sandbox.guest;

/// How much memory all guests of the node may use together.
public sealed interface MemoryShare {
    /// Leaves room for containerd, kubelet and the daemon itself.
    MemoryShare DEFAULT = new Percent(80);

    /// @param available what the daemon may use at most, in bytes
    /// @return bytes
    long of(long available);

    record Bytes(long bytes) implements MemoryShare {
        @Override
        public long of(long available) {
            return bytes;
        }
    }

    /// Of what the daemon may use at most.
    record Percent(long percent) implements MemoryShare {
        @Override
        public long of(long available) {
            return available / 100 * percent;
        }
    }
}
