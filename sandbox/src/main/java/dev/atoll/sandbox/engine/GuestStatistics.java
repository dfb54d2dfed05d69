package dev.atoll.sandbox.engine;

/// What a guest has used so far. Moments are CLOCK_MONOTONIC; 0 where it did not come to that.
public record GuestStatistics(
        long cpuNanos,
        long memoryBytes,
        long peakMemoryBytes,
        long stdoutBytes,
        long stderrBytes,
        long stdinBytes,
        long startedNanos,
        long endedNanos) {
    static final int NUMBERS = 8;
}
