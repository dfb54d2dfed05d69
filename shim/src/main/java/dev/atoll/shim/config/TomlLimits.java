package dev.atoll.shim.config;

import dev.atoll.sandbox.guest.GuestDefaults;
import dev.atoll.sandbox.guest.MemoryShare;
import dev.atoll.sandbox.guest.NodeLimits;
import dev.atoll.sandbox.http.SettingKind;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The table `[limits]`. Stateless.
final class TomlLimits {
    private static final String MEMORY = "memory";
    private static final String MEMORY_PER_GUEST = "memory-per-guest";
    private static final String CPU_PER_GUEST = "cpu-per-guest";

    private static final Pattern PERCENT = Pattern.compile("([0-9]{1,3})%");
    private static final Pattern MILLIS = Pattern.compile("([0-9]{1,7})m");

    /// Less than any program begins with.
    private static final long LEAST_MEMORY = 64 << 10;

    /// The least quota that the kernel knows, too: 1 ms in 100.
    private static final long LEAST_CPU = 10;

    private static final long MOST_CPU = 1_000_000;

    private TomlLimits() {}

    static NodeLimits parse(ConfigTable table) throws InvalidConfig {
        table.requireKeys(List.of(MEMORY, MEMORY_PER_GUEST, CPU_PER_GUEST));
        return new NodeLimits(
                share(table),
                new GuestDefaults(
                        table.value(MEMORY_PER_GUEST).isPresent()
                                ? bytes(table, MEMORY_PER_GUEST, "64MiB")
                                : 0,
                        cpu(table)));
    }

    private static MemoryShare share(ConfigTable table) throws InvalidConfig {
        Optional<Object> value = table.value(MEMORY);
        if (value.isEmpty()) {
            return MemoryShare.DEFAULT;
        }
        if (value.get() instanceof String text) {
            Matcher percent = PERCENT.matcher(text);
            // More than all of it is for who knows that guests do not touch what they ask for.
            if (percent.matches() && Long.parseLong(percent.group(1)) > 0) {
                return new MemoryShare.Percent(Long.parseLong(percent.group(1)));
            }
        }
        return new MemoryShare.Bytes(bytes(table, MEMORY, "4GiB, or 1% to 999% of the node's"));
    }

    private static long bytes(ConfigTable table, String key, String example) throws InvalidConfig {
        Object value = table.value(key).orElse("");
        OptionalLong bytes =
                switch (value) {
                    case Long number -> OptionalLong.of(number);
                    case String text -> SettingKind.BYTES.read(text);
                    default -> OptionalLong.empty();
                };
        if (bytes.isEmpty() || bytes.getAsLong() < LEAST_MEMORY) {
            throw table.unexpected(key, "a number of bytes from 64KiB, such as " + example, value);
        }
        return bytes.getAsLong();
    }

    /// @return thousandths of a core; 0 for none
    private static long cpu(ConfigTable table) throws InvalidConfig {
        Optional<Object> value = table.value(CPU_PER_GUEST);
        if (value.isEmpty()) {
            return 0;
        }
        long millis =
                switch (value.get()) {
                    case Long cores when cores <= MOST_CPU -> cores * 1000;
                    case Double cores -> Math.round(cores * 1000);
                    case String text -> {
                        Matcher matcher = MILLIS.matcher(text);
                        yield matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
                    }
                    default -> -1;
                };
        if (millis < LEAST_CPU || millis > MOST_CPU) {
            throw table.unexpected(
                    CPU_PER_GUEST, "cores from 0.01 to 1000, such as 0.5 or \"500m\"", value.get());
        }
        return millis;
    }
}
