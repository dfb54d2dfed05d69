package dev.atoll.sandbox;

/// How a CPU quota has held a container back, as a cgroup's `cpu.stat` says it. All 0 without a
/// quota.
///
/// @param periods in which it ran
/// @param throttledPeriods those of them in which it used up the quota
public record CpuThrottling(long periods, long throttledPeriods, long throttledNanos) {
    public static final CpuThrottling NONE = new CpuThrottling(0, 0, 0);
}
