package dev.atoll.sandbox.http;

import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How a setting's value is written and read.
public enum SettingKind {
    /// Milliseconds, written `500ms`, `10s`, `2m` or `1h`.
    DURATION,

    /// Bytes, written as a number or `64KiB`; Kubernetes' `64Ki` and `10M` are understood, too.
    BYTES,

    /// A plain number.
    COUNT;

    private static final Pattern QUANTITY = Pattern.compile("([0-9]{1,18})([A-Za-z]*)");
    private static final long SECOND = 1_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long KIBIBYTE = 1 << 10;
    private static final long MEBIBYTE = 1 << 20;
    private static final long GIBIBYTE = 1 << 30;

    /// Whether a number without a unit says it all.
    public boolean isPlainNumber() {
        return this != DURATION;
    }

    /// @return empty if it is not written as values of this kind are, or too large for any of them
    public OptionalLong read(String text) {
        Matcher matcher = QUANTITY.matcher(text);
        if (!matcher.matches()) {
            return OptionalLong.empty();
        }
        long unit = unit(matcher.group(2));
        long number = Long.parseLong(matcher.group(1));
        return unit == 0 || Math.multiplyHigh(number, unit) != 0 || number * unit < 0
                ? OptionalLong.empty()
                : OptionalLong.of(number * unit);
    }

    /// @return 0 if there is no such unit
    private long unit(String name) {
        return switch (this) {
            case DURATION ->
                    switch (name) {
                        case "ms" -> 1;
                        case "s" -> SECOND;
                        case "m" -> MINUTE;
                        case "h" -> HOUR;
                        default -> 0;
                    };
            case BYTES ->
                    switch (name) {
                        case "", "B" -> 1;
                        case "k", "kB" -> 1_000;
                        case "M", "MB" -> 1_000_000;
                        case "G", "GB" -> 1_000_000_000;
                        case "Ki", "KiB" -> KIBIBYTE;
                        case "Mi", "MiB" -> MEBIBYTE;
                        case "Gi", "GiB" -> GIBIBYTE;
                        default -> 0;
                    };
            case COUNT -> name.isEmpty() ? 1 : 0;
        };
    }

    /// What is accepted between two values, for messages.
    String range(long least, long greatest) {
        return switch (this) {
            case DURATION ->
                    "a duration from %s to %s, such as 500ms, 10s, 2m or 1h"
                            .formatted(text(least), text(greatest));
            case BYTES ->
                    "a number of bytes from %s to %s, such as 65536, 64KiB or 1MiB"
                            .formatted(text(least), text(greatest));
            case COUNT -> "a number from %d to %d".formatted(least, greatest);
        };
    }

    /// In the largest unit that says it exactly.
    String text(long value) {
        return switch (this) {
            case DURATION -> {
                if (value == 0) {
                    yield "0s";
                }
                if (value % HOUR == 0) {
                    yield value / HOUR + "h";
                }
                if (value % SECOND != 0) {
                    yield value + "ms";
                }
                yield value % MINUTE == 0 ? value / MINUTE + "m" : value / SECOND + "s";
            }
            case BYTES -> {
                if (value == 0 || value % KIBIBYTE != 0) {
                    yield Long.toString(value);
                }
                if (value % GIBIBYTE == 0) {
                    yield value / GIBIBYTE + "GiB";
                }
                yield value % MEBIBYTE == 0 ? value / MEBIBYTE + "MiB" : value / KIBIBYTE + "KiB";
            }
            case COUNT -> Long.toString(value);
        };
    }
}
