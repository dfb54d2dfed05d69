package dev.atoll.shim.task;

import java.time.Instant;

/// How and when a task ended.
///
/// @param status what containerd is told, 0..255
public record ExitRecord(int status, Instant at, boolean outOfMemory) {
    /// What a process has that was ended by SIGKILL.
    static final int KILLED = 137;

    /// What containerd itself gives a container that could not be started.
    static final int START_FAILED = 128;

    static ExitRecord killed(Instant at) {
        return new ExitRecord(KILLED, at, false);
    }
}
