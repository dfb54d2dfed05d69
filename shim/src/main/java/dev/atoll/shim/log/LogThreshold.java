package dev.atoll.shim.log;

import org.slf4j.event.Level;

/// From which level on lines are written. Thread-safe.
final class LogThreshold {
    private volatile int least = Level.INFO.toInt();

    void set(Level level) {
        least = level.toInt();
    }

    /// Nothing passes from now on.
    void close() {
        least = Integer.MAX_VALUE;
    }

    boolean passes(Level level) {
        return level.toInt() >= least;
    }
}
