package dev.atoll.deploy.install;

import java.io.IOException;
import java.nio.file.Files;
import org.jspecify.annotations.Nullable;

/// The kernel's limit of memory maps of a process, now and after a reboot.
final class MapCount {
    private MapCount() {}

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
                "# Written by `atoll install`: a guest needs about six memory maps.\nvm.max_map_count = %d\n"
                        .formatted(count));
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
