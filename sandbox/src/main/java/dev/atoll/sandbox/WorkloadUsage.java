package dev.atoll.sandbox;

/// What a workload has used. Memory is that of its instances, in bytes; a pause uses nothing.
public record WorkloadUsage(
        long cpuNanos,
        long memoryBytes,
        long peakMemoryBytes,
        ServerUsage server,
        NetworkUsage network) {
    public static final WorkloadUsage NONE =
            new WorkloadUsage(0, 0, 0, ServerUsage.NONE, NetworkUsage.NONE);
}
