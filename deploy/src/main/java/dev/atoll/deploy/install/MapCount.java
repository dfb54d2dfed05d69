package dev.atoll.deploy.install;

import java.io.IOException;
import java.nio.file.Files;
import org.jspecify.annotations.Nullable;

/// The kernel's limit of memory maps of a process, now and after a reboot.
final class MapCount {
    /// What the engine reckons with (sandbox/native, `pool.rs`).
    private static final long MAPS_PER_GUEST = 8;

    private static final long MAPS_OF_DAEMON = 8192;

    private MapCount() {}

    static long forGuests(int guests) {
        return MAPS_PER_GUEST * guests + MAPS_OF_DAEMON;
    }

    /// Returns for how many guests so many maps are enough.
    static long guests(long count) {
        return Math.max(0, count - MAPS_OF_DAEMON) / MAPS_PER_GUEST;
    }

    static long read(Host host) throws InstallFailed {
        String text = host.read(Layout.MAP_COUNT).orElse("").strip();
        if (!text.matches("[0-9]{1,18}")) {
            throw new InstallFailed(
                    "%s tells no number: found \"%s\"".formatted(Layout.MAP_COUNT, text));
        }
        return Long.parseLong(text);
    }

    static void raise(Host host, long count) throws InstallFailed, IOException {
        AtomicFiles.write(
                host.path(Layout.SYSCTL_FILE),
                "# Written by `atoll install`: a guest needs about %d memory maps.\nvm.max_map_count = %d\n"
                        .formatted(MAPS_PER_GUEST, count));
        Files.writeString(host.path(Layout.MAP_COUNT), Long.toString(count));
    }

    /// @param before null if it was not raised
    static void restore(Host host, @Nullable Long before) throws InstallFailed, IOException {
        Files.deleteIfExists(host.path(Layout.SYSCTL_FILE));
        if (before != null) {
            Files.writeString(host.path(Layout.MAP_COUNT), Long.toString(before));
        }
    }
}
