package dev.atoll.shim.task;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.atoll.api.cgroups.v2.CPUStat;
import dev.atoll.api.cgroups.v2.MemoryEvents;
import dev.atoll.api.cgroups.v2.MemoryStat;
import dev.atoll.api.cgroups.v2.Metrics;
import dev.atoll.api.cgroups.v2.PidsStat;
import dev.atoll.sandbox.WorkloadUsage;

/// Says what a guest has used as containerd expects it of a cgroup. Stateless.
final class GuestMetrics {
    /// How the kernel's `max` comes through containerd's cgroups library.
    private static final long NO_LIMIT = -1;

    private GuestMetrics() {}

    /// @throws dev.atoll.sandbox.SandboxException if the workload cannot tell
    static Metrics of(MadeWorkload made, TaskState state) {
        WorkloadUsage usage = made.workload().usage();
        boolean live = state.ended().isEmpty();
        long killed = usage.outOfMemoryKills();
        long micros = usage.cpuNanos() / 1000;
        return Metrics.newBuilder()
                .setPids(PidsStat.newBuilder().setCurrent(live ? 1 : 0))
                .setCpu(
                        CPUStat.newBuilder()
                                .setUsageUsec(micros)
                                .setUserUsec(micros)
                                .setNrPeriods(usage.throttling().periods())
                                .setNrThrottled(usage.throttling().throttledPeriods())
                                .setThrottledUsec(usage.throttling().throttledNanos() / 1000))
                .setMemory(
                        MemoryStat.newBuilder()
                                .setAnon(usage.memoryBytes())
                                .setUsage(usage.memoryBytes())
                                .setMaxUsage(usage.peakMemoryBytes())
                                .setUsageLimit(
                                        usage.memoryLimit() == 0 ? NO_LIMIT : usage.memoryLimit()))
                .setMemoryEvents(MemoryEvents.newBuilder().setOom(killed).setOomKill(killed))
                .build();
    }

    /// Packs with the bare message name as type URL: containerd does not know
    /// `type.googleapis.com`.
    static Any pack(Message message) {
        return Any.newBuilder()
                .setTypeUrl(message.getDescriptorForType().getFullName())
                .setValue(message.toByteString())
                .build();
    }
}
