package dev.atoll.sandbox.engine;

/// What a guest has used so far; CPU and memory are those of its container. Moments are
/// CLOCK_MONOTONIC; 0 where it did not come to that.
///
/// @param answeredRequests by the guest, with whatever status; this and the next five are 0 of what
///   is no server
/// @param trappedRequests answered with 500, since the instance trapped
/// @param refusedRequests turned away without the guest: 413, 431, 503, 504
/// @param openSockets those of outgoing HTTP included
/// @param policyRefusals connections and look-ups that the policy did not allow
/// @param cpuPeriods of the CPU quota, in which the container ran
/// @param throttledPeriods those of them in which it used up the quota
/// @param memoryLimit bytes; 0: none
/// @param bufferedBytes what the host holds for it, a part of its memory
/// @param outOfMemoryKills guests that a memory limit has ended
public record GuestStatistics(
        long cpuNanos,
        long memoryBytes,
        long peakMemoryBytes,
        long stdoutBytes,
        long stderrBytes,
        long stdinBytes,
        long startedNanos,
        long endedNanos,
        long answeredRequests,
        long trappedRequests,
        long refusedRequests,
        long requestsInProgress,
        long openConnections,
        long openSockets,
        long policyRefusals,
        long instances,
        long cpuPeriods,
        long throttledPeriods,
        long throttledNanos,
        long memoryLimit,
        long bufferedBytes,
        long outOfMemoryKills) {
    static final int NUMBERS = 22;

    /// @param numbers in the order of `atoll_guest_stat`
    static GuestStatistics of(long[] numbers) {
        return new GuestStatistics(
                numbers[0],
                numbers[1],
                numbers[2],
                numbers[3],
                numbers[4],
                numbers[5],
                numbers[6],
                numbers[7],
                numbers[8],
                numbers[9],
                numbers[10],
                numbers[11],
                numbers[12],
                numbers[13],
                numbers[14],
                numbers[15],
                numbers[16],
                numbers[17],
                numbers[18],
                numbers[19],
                numbers[20],
                numbers[21]);
    }
}
