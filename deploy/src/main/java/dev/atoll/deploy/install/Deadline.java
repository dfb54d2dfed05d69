package dev.atoll.deploy.install;

import java.time.Duration;
import java.time.Instant;

/// How long something on the node is waited for, and how often it is looked at.
///
/// @param pause between two looks
/// @param waiting what goes on meanwhile, as in "interrupted while pods ended"
record Deadline(Instant end, Duration pause, String waiting) {
    static Deadline in(Duration time, Duration pause, String waiting) {
        return new Deadline(Instant.now().plus(time), pause, waiting);
    }

    boolean isOver() {
        return Instant.now().isAfter(end);
    }

    /// Blocks until the next look.
    void await() throws InstallFailed {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InstallFailed("interrupted while " + waiting, e);
        }
    }
}
