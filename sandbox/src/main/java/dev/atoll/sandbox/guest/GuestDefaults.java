package dev.atoll.sandbox.guest;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import java.util.Optional;

/// What a container gets that asks for no limit.
///
/// @param memory bytes; 0: no limit but the node's
/// @param cpuMillis thousandths of a core; 0: no quota
public record GuestDefaults(long memory, long cpuMillis) {
    public static final GuestDefaults NONE = new GuestDefaults(0, 0);

    private static final long PERIOD_MICROS = 100_000;
    private static final long NO_QUOTA = -1;

    /// What a new container may use.
    Resources of(Resources asked) {
        return update(
                new Resources(
                        Optional.of(asked.memoryLimit().orElse(0L)),
                        asked.cpuShares(),
                        Optional.of(asked.cpuQuota().orElse(NO_QUOTA)),
                        asked.cpuPeriod(),
                        asked.cpuBurst(),
                        asked.oomGroup()));
    }

    /// What changes: a limit that is taken away is this one from then on, and what is absent stays.
    Resources update(Resources asked) {
        Resources limits =
                asked.memoryLimit().filter(limit -> limit <= 0).isPresent()
                        ? asked.withMemoryLimit(memory)
                        : asked;
        if (cpuMillis == 0 || asked.cpuQuota().filter(quota -> quota <= 0).isEmpty()) {
            return limits;
        }
        return new Resources(
                limits.memoryLimit(),
                limits.cpuShares(),
                Optional.of(cpuMillis * PERIOD_MICROS / 1000),
                Optional.of(PERIOD_MICROS),
                limits.cpuBurst(),
                limits.oomGroup());
    }
}
