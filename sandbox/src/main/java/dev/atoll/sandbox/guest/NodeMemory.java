package dev.atoll.sandbox.guest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How much memory this process may use: the machine's, or less where a cgroup above it says so
/// (proc(5), cgroups(7)).
///
/// @param proc where /proc is
/// @param cgroups where cgroups are mounted
record NodeMemory(Path proc, Path cgroups) {
    private static final Pattern TOTAL =
            Pattern.compile("^MemTotal:\\s+([0-9]{1,15}) kB$", Pattern.MULTILINE);
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

    static final NodeMemory OF_THIS_NODE =
            new NodeMemory(Path.of("/proc"), Path.of("/sys/fs/cgroup"));

    /// @return bytes
    /// @throws IOException with one line if it cannot be told
    long available() throws IOException {
        long least = total();
        for (String line : Files.readAllLines(proc.resolve("self/cgroup"))) {
            // "0::/path" in version 2, "5:memory,..:/path" in version 1.
            String[] parts = line.split(":", 3);
            if (parts.length == 3 && parts[0].equals("0") && parts[1].isEmpty()) {
                least = Math.min(least, limit(cgroups, parts[2], "memory.max"));
            } else if (parts.length == 3 && List.of(parts[1].split(",")).contains("memory")) {
                Path hierarchy = cgroups.resolve("memory");
                least = Math.min(least, limit(hierarchy, parts[2], "memory.limit_in_bytes"));
            }
        }
        return least;
    }

    private long total() throws IOException {
        Path file = proc.resolve("meminfo");
        Matcher matcher = TOTAL.matcher(Files.readString(file));
        if (!matcher.find()) {
            throw new IOException("%s does not tell MemTotal".formatted(file));
        }
        return Long.parseLong(matcher.group(1)) * 1024;
    }

    /// The least that a cgroup from `path` upwards grants; one that cannot be seen from here grants
    /// everything.
    private static long limit(Path hierarchy, String path, String file) throws IOException {
        long least = Long.MAX_VALUE;
        for (Path group = Path.of(path).normalize(); group != null; group = group.getParent()) {
            String below = group.toString().replaceFirst("^[/.]+", "");
            try {
                String text = Files.readString(hierarchy.resolve(below).resolve(file)).strip();
                // Else "max".
                if (NUMBER.matcher(text).matches()) {
                    least = Math.min(least, Long.parseLong(text));
                }
            } catch (NoSuchFileException ignored) {
                // Not visible from here, or the root, which has no limit.
            }
        }
        return least;
    }
}
