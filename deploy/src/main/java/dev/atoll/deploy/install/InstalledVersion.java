package dev.atoll.deploy.install;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A complete installation on a host.
///
/// @param version name of the distribution
/// @param handlers the runtimes that it serves
public record InstalledVersion(String version, List<String> handlers) {
    private static final int MOST_LABEL = 63;

    public InstalledVersion {
        handlers = List.copyOf(handlers);
    }

    /// @param host where the host's root directory, or at least the prefix in it, is seen
    /// @return empty if nothing is installed, or an installation has not come to its end
    public static Optional<InstalledVersion> find(Path host, String prefix) throws InstallFailed {
        return InstallRecord.read(Host.at(host), new Layout(prefix))
                .filter(InstallRecord::complete)
                .map(record -> new InstalledVersion(record.version(), record.handlers()));
    }

    /// The version as the value of a Kubernetes label.
    public String label() {
        String label = version.replaceAll("[^A-Za-z0-9._-]", "_");
        return label.substring(0, Math.min(label.length(), MOST_LABEL))
                .replaceAll("[^A-Za-z0-9]+$", "");
    }
}
