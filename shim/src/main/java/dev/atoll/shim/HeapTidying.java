package dev.atoll.shim;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryNotificationInfo;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import javax.management.NotificationEmitter;

/// Gives Java heap back to the node. Left alone, the serial collector lets the old generation grow
/// to the limit of the heap before it looks for garbage there, and what it has grown by stays with
/// the process: one image of 70 MiB, read in pieces that are garbage at once, makes a heap of 80.
final class HeapTidying {
    /// What may be in the old generation before it is searched, in bytes: about three times what an
    /// idle daemon has there.
    private static final long LEAST = 24L << 20;

    private HeapTidying() {}

    /// Watches until the process ends.
    static void start() {
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            // Of a generational heap only the old generation can be watched.
            if (pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported()) {
                watch(pool, LEAST);
                var memory = (NotificationEmitter) ManagementFactory.getMemoryMXBean();
                memory.addNotificationListener(
                        (notice, _) -> {
                            if (notice.getType()
                                    .equals(MemoryNotificationInfo.MEMORY_THRESHOLD_EXCEEDED)) {
                                collect(pool);
                            }
                        },
                        null,
                        null);
            }
        }
    }

    /// One notice comes each time the threshold is crossed; so it moves above what is alive.
    private static void collect(MemoryPoolMXBean pool) {
        System.gc();
        watch(pool, Math.max(LEAST, 2 * pool.getUsage().getUsed()));
    }

    /// The operator may have chosen a smaller heap, or a collector without a limit of its own here.
    private static void watch(MemoryPoolMXBean pool, long bytes) {
        long most = pool.getUsage().getMax();
        pool.setUsageThreshold(most < 0 ? bytes : Math.min(bytes, most));
    }
}
