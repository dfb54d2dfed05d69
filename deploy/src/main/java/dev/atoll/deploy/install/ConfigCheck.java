package dev.atoll.deploy.install;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Asks containerd itself what it makes of a change of its configuration, before the change is
/// made.
///
/// @param containerd the one whose program is asked
/// @param handlers the runtimes in which the configurations before and after may differ
record ConfigCheck(Host host, RunningContainerd containerd, List<String> handlers) {
    private static final String TRIAL = ".atoll-trial";
    // Lists the files that were read.
    private static final String IMPORTS = "imports";

    ConfigCheck {
        handlers = List.copyOf(handlers);
    }

    /// What containerd resolves its present configuration to.
    ContainerdToml resolve() throws InstallFailed {
        return resolve(containerd.config());
    }

    /// @param change what is to be tried
    /// @param expected whether the handlers must be there afterwards, or must not
    /// @throws InstallFailed if containerd does not accept it, or it changes anything else
    void require(ConfigChange change, boolean expected) throws InstallFailed {
        ContainerdToml before = resolve();
        ContainerdToml after = trial(change);
        for (String handler : handlers) {
            if (after.runtimeType(handler).isPresent() != expected) {
                throw new InstallFailed(
                        "%s would %s the runtime %s when containerd reads it: nothing was changed"
                                .formatted(
                                        change.file(), expected ? "lack" : "still have", handler));
            }
        }
        Optional<String> difference =
                difference("", withoutHandlers(before), withoutHandlers(after));
        if (difference.isPresent()) {
            throw new InstallFailed(
                    "the change of %s would also change %s of containerd's configuration: nothing was changed; please report this with the output of containerd config dump"
                            .formatted(change.file(), difference.get()));
        }
    }

    /// The changed file stands beside its place, since it may import by relative paths. One that is
    /// imported itself, or is a template, is tried as what it adds to the main file.
    private ContainerdToml trial(ConfigChange change) throws InstallFailed {
        String main = containerd.config();
        if (!change.merged()) {
            return resolveText(change.file(), change.after());
        }
        String rendered = RuntimeBlock.strip(host.read(main).orElse(""));
        int tables = change.after().indexOf("[plugins.");
        String added = change.after().substring(tables).replaceAll("(?m)^#.*\n", "");
        return resolveText(host.resolved(main), rendered + "\n" + added);
    }

    private ContainerdToml resolveText(String beside, String text) throws InstallFailed {
        String trial = beside + TRIAL;
        try {
            Files.createDirectories(host.path(trial).resolveSibling("."));
            Files.writeString(host.path(trial), text);
            try {
                return resolve(trial);
            } finally {
                Files.deleteIfExists(host.path(trial));
            }
        } catch (IOException e) {
            throw new InstallFailed(
                    "cannot write beside %s: %s: if its file system is read-only, copy the configuration to a writable place and have containerd's service read it there"
                            .formatted(beside, e),
                    e);
        }
    }

    private ContainerdToml resolve(String file) throws InstallFailed {
        // containerd does without its usual file, but not without one that it is told to read.
        boolean usualIsMissing = file.equals(ContainerdFinder.DEFAULT_CONFIG) && !host.exists(file);
        HostCommands.Result result =
                usualIsMissing
                        ? host.run(containerd.binary(), "config", "default")
                        : host.run(containerd.binary(), "--config", file, "config", "dump");
        if (!result.succeeded()) {
            throw new InstallFailed(
                    "containerd does not accept %s: %s".formatted(file, result.lastLine()));
        }
        return ContainerdToml.parse("the output of containerd config dump", result.output());
    }

    private JsonObject withoutHandlers(ContainerdToml resolved) {
        JsonObject json = JsonParser.parseString(resolved.toml().toJson()).getAsJsonObject();
        json.remove(IMPORTS);
        for (String plugin : ContainerdToml.CRI_PLUGINS) {
            @Nullable JsonElement at = json;
            for (String key : List.of("plugins", plugin, "containerd", "runtimes")) {
                at = at instanceof JsonObject table ? table.get(key) : null;
            }
            if (at instanceof JsonObject runtimes) {
                handlers.forEach(runtimes::remove);
            }
        }
        return json;
    }

    /// @return the path of the first setting that differs
    private static Optional<String> difference(String path, JsonElement one, JsonElement other) {
        if (one.equals(other)) {
            return Optional.empty();
        }
        if (one instanceof JsonObject first && other instanceof JsonObject second) {
            Set<String> keys = new LinkedHashSet<>(first.keySet());
            keys.addAll(second.keySet());
            for (String key : keys) {
                if (!first.has(key) || !second.has(key)) {
                    return Optional.of(path + key);
                }
                Optional<String> inside =
                        difference(path + key + ".", first.get(key), second.get(key));
                if (inside.isPresent()) {
                    return inside;
                }
            }
        }
        return Optional.of(path.replaceFirst("\\.$", ""));
    }
}
