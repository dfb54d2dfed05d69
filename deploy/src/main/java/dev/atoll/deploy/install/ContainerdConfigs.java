package dev.atoll.deploy.install;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Decides which file of a host's containerd configuration gets Atoll's runtimes, and how.
///
/// A distribution of Kubernetes that writes the configuration anew at each start is given the file
/// that it makes it from. Elsewhere a file of our own is preferred where the main one imports a
/// directory of them and containerd merges what is imported; before version 2 it does not (an
/// import with a table of CRI replaces all of CRI's settings), so the main file gets a marked block
/// at its end.
record ContainerdConfigs(Host host) {
    private static final String OWN_FILE = "atoll.toml";
    private static final String OWN_HEAD =
            "# Written by `atoll install`, removed by `atoll uninstall`.\n";
    private static final Pattern RANCHER =
            Pattern.compile("(.*/agent/etc/containerd)/config\\.toml");
    private static final Pattern MICROK8S =
            Pattern.compile("(/var/snap/microk8s/.*)/containerd\\.toml");
    private static final Pattern K0S = Pattern.compile("/etc/k0s/.*|/run/k0s/.*");
    private static final String K0S_DIRECTORY = "/etc/k0s/containerd.d";
    private static final Pattern IMPORTED_DIRECTORY = Pattern.compile("(/.*)/\\*\\.toml");
    // The template that k3s and RKE2 use by themselves; ours adds to it.
    private static final String RANCHER_BASE = "{{ template \"base\" . }}\n";

    /// @param major containerd's version
    /// @param handlers names of runtimes to be added
    ConfigChange plan(
            RunningContainerd containerd, int major, List<String> handlers, String runtimeType)
            throws InstallFailed {
        String main = containerd.config();
        Optional<String> text = host.read(main);
        Matcher rancher = RANCHER.matcher(main);
        if (rancher.matches()) {
            return rancher(rancher.group(1), required(main, text), handlers, runtimeType);
        }
        Matcher microk8s = MICROK8S.matcher(main);
        if (microk8s.matches()) {
            ContainerdToml toml = required(main, text);
            return block(
                    microk8s.group(1) + "/containerd-template.toml",
                    tables(toml, handlers, runtimeType),
                    true);
        }
        if (K0S.matcher(main).matches()) {
            return ownFile(K0S_DIRECTORY, required(main, text), handlers, runtimeType);
        }
        ContainerdToml toml = ContainerdToml.parse(main, RuntimeBlock.strip(text.orElse("")));
        if (toml.isEmpty()) {
            int version = major >= 2 ? 3 : 2;
            String tables =
                    RuntimeBlock.tables(ContainerdToml.criPlugin(version), handlers, runtimeType);
            return firstFile(main, text, version, builtIn(major, toml) + tables);
        }
        toml.requireCri();
        Optional<String> directory = major >= 2 ? importedDirectory(toml) : Optional.empty();
        return directory.isPresent()
                ? ownFile(directory.get(), toml, handlers, runtimeType)
                : block(main, builtIn(major, toml) + tables(toml, handlers, runtimeType), false);
    }

    /// Before version 2, containerd forgets its own runtime, runc, when a file has any.
    private static String builtIn(int major, ContainerdToml main) {
        return major >= 2 || main.hasRuntimes() ? "" : RuntimeBlock.BUILT_IN_RUNTIME;
    }

    /// Whether the host's distribution of Kubernetes brings a containerd of its own, whose search
    /// path is not a place for the launcher.
    static boolean isBundled(RunningContainerd containerd) {
        return RANCHER.matcher(containerd.config()).matches()
                || MICROK8S.matcher(containerd.config()).matches();
    }

    /// Takes Atoll's part out of a file.
    ///
    /// @param created whether the installer made the file
    /// @return empty if the file is to be removed
    static Optional<String> without(String text, boolean created) throws InstallFailed {
        String rest = RuntimeBlock.strip(text);
        boolean nothingElse = rest.isEmpty() || rest.equals(RANCHER_BASE);
        return isOwn(text) || (created && nothingElse) ? Optional.empty() : Optional.of(rest);
    }

    private ConfigChange rancher(
            String directory, ContainerdToml rendered, List<String> handlers, String runtimeType)
            throws InstallFailed {
        for (String dropIns : List.of("config-v3.toml.d", "config.toml.d")) {
            if (rendered.imports().stream()
                    .anyMatch(entry -> entry.contains("/" + dropIns + "/"))) {
                return ownFile(directory + "/" + dropIns, rendered, handlers, runtimeType);
            }
        }
        String template =
                directory
                        + (rendered.version() == 2 ? "/config.toml.tmpl" : "/config-v3.toml.tmpl");
        Optional<String> before = host.read(template);
        String after =
                RuntimeBlock.append(
                        before.orElse(RANCHER_BASE), tables(rendered, handlers, runtimeType));
        return new ConfigChange(host.resolved(template), before, after, true);
    }

    private ConfigChange ownFile(
            String directory, ContainerdToml main, List<String> handlers, String runtimeType)
            throws InstallFailed {
        String file = host.resolved(directory + "/" + OWN_FILE);
        Optional<String> before = host.read(file);
        if (before.isPresent() && !isOwn(before.get())) {
            throw new InstallFailed(
                    "%s is there and was not written by Atoll: move it away".formatted(file));
        }
        String after =
                OWN_HEAD
                        + "version = "
                        + main.version()
                        + "\n"
                        + tables(main, handlers, runtimeType);
        return new ConfigChange(file, before, after, true);
    }

    /// Whether Atoll has a part in a file.
    static boolean isOurs(String text) {
        return isOwn(text) || RuntimeBlock.isIn(text);
    }

    private static boolean isOwn(String text) {
        return text.startsWith(OWN_HEAD);
    }

    private ConfigChange block(String file, String tables, boolean merged) throws InstallFailed {
        String resolved = host.resolved(file);
        String before =
                host.read(resolved)
                        .orElseThrow(() -> new InstallFailed("%s does not exist".formatted(file)));
        return new ConfigChange(
                resolved, Optional.of(before), RuntimeBlock.append(before, tables), merged);
    }

    /// A main file where there was none, or none with settings in it.
    private ConfigChange firstFile(String file, Optional<String> before, int version, String tables)
            throws InstallFailed {
        String content = "version = %d\n".formatted(version) + tables;
        return new ConfigChange(
                host.resolved(file),
                before,
                RuntimeBlock.append(before.orElse(""), content),
                false);
    }

    private static Optional<String> importedDirectory(ContainerdToml main) {
        return main.imports().stream()
                .map(IMPORTED_DIRECTORY::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .findFirst();
    }

    private static String tables(ContainerdToml main, List<String> handlers, String runtimeType)
            throws InstallFailed {
        return RuntimeBlock.tables(main.criPlugin(), handlers, runtimeType);
    }

    private static ContainerdToml required(String file, Optional<String> text)
            throws InstallFailed {
        return ContainerdToml.parse(
                file,
                text.orElseThrow(() ->
                        new InstallFailed(
                                "%s, which containerd was started with, does not exist"
                                        .formatted(file))));
    }
}
