package dev.atoll.deploy.install;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What an installation changed outside its own directory, so that it can be taken back. It is
/// written before the first such change.
///
/// @param version of the distribution
/// @param handlers runtimes that were added to containerd's configuration
/// @param config the file that has them; null if the configuration had all of them before
/// @param configCreated whether the installer made that file
/// @param launcher the link to the launcher on containerd's search path; null if there is none
/// @param mapCountBefore `vm.max_map_count` before it was raised; null if it was not
/// @param unit whether there is a systemd unit
/// @param complete whether the installation has come to its end
record InstallRecord(
        String version,
        List<String> handlers,
        @Nullable String config,
        boolean configCreated,
        @Nullable String launcher,
        @Nullable Long mapCountBefore,
        boolean unit,
        boolean complete) {
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

    InstallRecord asComplete() {
        return new InstallRecord(
                version, handlers, config, configCreated, launcher, mapCountBefore, unit, true);
    }

    /// @return empty if nothing is installed
    static Optional<InstallRecord> read(Host host, Layout layout) throws InstallFailed {
        Optional<String> text = host.read(layout.record());
        try {
            return text.map(json -> GSON.fromJson(json, InstallRecord.class));
        } catch (JsonSyntaxException e) {
            throw new InstallFailed(
                    "%s is damaged: remove it and install again".formatted(layout.record()), e);
        }
    }

    void write(Host host, Layout layout) throws InstallFailed {
        try {
            AtomicFiles.write(host.path(layout.record()), GSON.toJson(this) + "\n");
        } catch (IOException e) {
            throw new InstallFailed("cannot write %s: %s".formatted(layout.record(), e), e);
        }
    }

    static void remove(Host host, Layout layout) throws InstallFailed, IOException {
        Files.deleteIfExists(host.path(layout.record()));
    }
}
