package dev.atoll.deploy.install;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/// What a configuration file of containerd says, as far as adding a runtime depends on it.
///
/// @param file its path on the host, for messages
record ContainerdToml(String file, TomlParseResult toml) {
    private static final String CRI_1 = "io.containerd.grpc.v1.cri";
    private static final String CRI_2 = "io.containerd.cri.v1.runtime";
    static final List<String> CRI_PLUGINS = List.of(CRI_2, CRI_1);
    private static final List<Long> VERSIONS = List.of(2L, 3L, 4L);

    static ContainerdToml parse(String file, String text) throws InstallFailed {
        TomlParseResult toml = Toml.parse(text);
        if (toml.hasErrors()) {
            throw new InstallFailed(
                    "%s is no TOML (%s): correct it first"
                            .formatted(file, toml.errors().getFirst()));
        }
        return new ContainerdToml(file, toml);
    }

    /// Whether there is nothing but comments: then the version is free to choose.
    boolean isEmpty() {
        return toml.isEmpty();
    }

    /// @throws InstallFailed if Atoll does not know the version
    int version() throws InstallFailed {
        Object version = toml.get(List.of("version"));
        if (version instanceof Long number && VERSIONS.contains(number)) {
            return number.intValue();
        }
        throw new InstallFailed(
                version == null || Long.valueOf(1).equals(version)
                        ? "%s is of configuration version 1 (it has no line version = 2 or later), in which runtimes are configured otherwise: convert it by containerd config migrate, restart containerd, and install again"
                                .formatted(file)
                        : "%s is of configuration version %s: this Atoll knows versions 2, 3 and 4"
                                .formatted(file, version));
    }

    /// The plugin whose table has the runtimes.
    String criPlugin() throws InstallFailed {
        return criPlugin(version());
    }

    static String criPlugin(int version) {
        return version == 2 ? CRI_1 : CRI_2;
    }

    /// @throws InstallFailed if CRI is switched off in this file
    void requireCri() throws InstallFailed {
        if (toml.get(List.of("disabled_plugins")) instanceof TomlArray disabled) {
            for (Object name : disabled.toList()) {
                if (List.of("cri", CRI_1, CRI_2).contains(String.valueOf(name))) {
                    throw new InstallFailed(
                            "%s disables the plugin %s, without which there are no pods: remove it from disabled_plugins, restart containerd, and install again"
                                    .formatted(file, name));
                }
            }
        }
    }

    /// Files or patterns that this file imports.
    List<String> imports() {
        List<String> imports = new ArrayList<>();
        if (toml.get(List.of("imports")) instanceof TomlArray array) {
            array.toList().forEach(entry -> imports.add(String.valueOf(entry)));
        }
        return imports;
    }

    /// @return the runtime's table, under whichever of CRI's plugins it stands
    Optional<TomlTable> runtime(String handler) {
        for (String plugin : CRI_PLUGINS) {
            Object table = toml.get(List.of("plugins", plugin, "containerd", "runtimes", handler));
            if (table instanceof TomlTable runtime) {
                return Optional.of(runtime);
            }
        }
        return Optional.empty();
    }

    /// Whether any runtime is configured.
    boolean hasRuntimes() {
        return CRI_PLUGINS.stream()
                .anyMatch(plugin ->
                        toml.get(List.of("plugins", plugin, "containerd", "runtimes"))
                                instanceof TomlTable);
    }

    Optional<String> runtimeType(String handler) {
        return runtime(handler)
                .map(table -> table.get(List.of("runtime_type")))
                .map(String::valueOf);
    }
}
