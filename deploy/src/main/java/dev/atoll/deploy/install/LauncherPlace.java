package dev.atoll.deploy.install;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How containerd finds the launcher: by name through a link in a directory of its search path,
/// which `ctr` and pod specs written for other shims of that name need, else by path.
///
/// @param link null if there is none
record LauncherPlace(@Nullable String link, String runtimeType) {
    // Where a host's administrator puts programs. Elsewhere package managers own what is there.
    private static final List<String> PREFERRED =
            List.of("/usr/local/bin", "/usr/local/sbin", "/opt/bin");

    static LauncherPlace choose(Host host, RunningContainerd containerd, Layout layout)
            throws InstallFailed {
        Optional<String> existing = existing(host, containerd);
        if (existing.isPresent()) {
            return new LauncherPlace(existing.get(), Layout.RUNTIME_TYPE);
        }
        if (!ContainerdConfigs.isBundled(containerd)) {
            for (String directory : PREFERRED) {
                if (containerd.path().contains(directory)
                        && Files.isWritable(host.path(host.resolved(directory)))) {
                    return new LauncherPlace(
                            directory + "/" + Layout.LAUNCHER_NAME, Layout.RUNTIME_TYPE);
                }
            }
        }
        return new LauncherPlace(null, layout.launcher());
    }

    /// The launcher that containerd would find by name today, whoever's it is.
    static Optional<String> existing(Host host, RunningContainerd containerd) throws InstallFailed {
        for (String directory : containerd.path()) {
            String candidate = directory + "/" + Layout.LAUNCHER_NAME;
            if (Files.isSymbolicLink(host.path(candidate)) || host.exists(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /// Whether a link leads to an installation of ours.
    static boolean isOurs(Host host, String link, Layout layout) throws InstallFailed {
        return Files.isSymbolicLink(host.path(link))
                && readLink(host, link).startsWith(layout.prefix() + "/");
    }

    private static String readLink(Host host, String link) throws InstallFailed {
        try {
            return Files.readSymbolicLink(host.path(link)).toString();
        } catch (IOException e) {
            throw new InstallFailed("cannot read link %s: %s".formatted(link, e), e);
        }
    }
}
