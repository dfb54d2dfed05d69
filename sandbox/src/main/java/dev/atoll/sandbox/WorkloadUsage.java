package dev.atoll.sandbox;

/// What a workload has used. A pause uses nothing.
///
/// @param memoryBytes of its instances and of what the host buffers for them
/// @param memoryLimit as it is now; 0: none
/// @param outOfMemoryKills how often a memory limit has ended it, or a command in it
public record WorkloadUsage(
        long cpuNanos,
        long memoryBytes,
        long peakMemoryBytes,
        long memoryLimit,
        long outOfMemoryKills,
        CpuThrottling throttling,
        ServerUsage server,
        NetworkUsage network) {
    public static final WorkloadUsage NONE =
            new WorkloadUsage(
                    0, 0, 0, 0, 0, CpuThrottling.NONE, ServerUsage.NONE, NetworkUsage.NONE);
}
