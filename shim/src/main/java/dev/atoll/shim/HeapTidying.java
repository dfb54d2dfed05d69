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
    /// What may be in the old generation before it is searched, in bytes: some ten thousand
    /// containers' worth of objects.
    private static final long LEAST = 24L << 20;

    private HeapTidying() {}

    /// Watches until the process ends.
    static void start() {
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            // Of a generational heap only the old generation can be watched.
            if (pool.getType() == MemoryType.HEAP && pool.isUsageThresholdSupported()) {
                pool.setUsageThreshold(LEAST);
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
        long most = pool.getUsage().getMax();
        long alive = pool.getUsage().getUsed();
        pool.setUsageThreshold(Math.clamp(2 * alive, Math.min(LEAST, most), most));
    }
}
