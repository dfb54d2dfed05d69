package dev.atoll.shim.log;

import org.slf4j.event.Level;

/// From which level on lines are written. Thread-safe.
final class LogThreshold {
    private volatile Level least = Level.INFO;

    void set(Level level) {
        least = level;
    }

    boolean passes(Level level) {
        return level.toInt() >= least.toInt();
    }
}
