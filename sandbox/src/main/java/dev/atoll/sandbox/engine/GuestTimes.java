package dev.atoll.sandbox.engine;

/// What the engine measured of an ended guest. Moments are CLOCK_MONOTONIC, as [System#nanoTime] on
/// Linux; 0 where it did not come to that.
///
/// @param enteredNanos its first instruction was about to run
public record GuestTimes(
        long createdNanos,
        long startedNanos,
        long enteredNanos,
        long endedNanos,
        long cpuNanos,
        long peakMemoryBytes) {}
