package dev.atoll.deploy.cli;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/// Numbers as people read them: `12.3 MiB`, `1.25 s`, `3m10s`.
final class Quantities {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Quantities() {}

    static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 || value >= 100
                ? String.format(Locale.ROOT, "%.0f %s", value, UNITS[unit])
                : String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    static String cpu(long nanos) {
        Duration time = Duration.ofNanos(nanos);
        if (time.compareTo(Duration.ofSeconds(1)) < 0) {
            return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
        }
        return time.compareTo(Duration.ofMinutes(2)) < 0
                ? String.format(Locale.ROOT, "%.2f s", nanos / 1e9)
                : age(time);
    }

    /// The two leading units, as kubectl has it.
    static String age(Duration age) {
        long seconds = Math.max(0, age.toSeconds());
        if (seconds < 120) {
            return seconds + "s";
        }
        if (seconds < 10 * 60) {
            return "%dm%ds".formatted(seconds / 60, seconds % 60);
        }
        if (seconds < 3 * 3600) {
            return seconds / 60 + "m";
        }
        if (seconds < 2 * 86400) {
            return "%dh%dm".formatted(seconds / 3600, seconds / 60 % 60);
        }
        return "%dd%dh".formatted(seconds / 86400, seconds / 3600 % 24);
    }

    static Instant instant(Timestamp timestamp) {
        return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
    }
}
