package dev.atoll.sandbox.code;

import java.time.Duration;

/// @param programBytes greatest accepted program, uncompressed
/// @param diskBytes greatest size of all compiled code kept on disk
/// @param idleModules how many modules stay in memory that no guest uses
/// @param compileDeadline how long a container waits for its code
public record CacheLimits(
        long programBytes, long diskBytes, int idleModules, Duration compileDeadline) {
    public static final CacheLimits DEFAULTS =
            new CacheLimits(256L << 20, 8L << 30, 64, Duration.ofMinutes(10));

    public CacheLimits {
        if (programBytes <= 0
                || diskBytes < 0
                || idleModules < 0
                || !compileDeadline.isPositive()) {
            throw new IllegalArgumentException("limits must be positive: program bytes, deadline");
        }
    }
}
