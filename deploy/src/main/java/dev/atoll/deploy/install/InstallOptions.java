package dev.atoll.deploy.install;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What the operator wants.
///
/// @param host where the host's root directory is seen; `/` on the host itself
/// @param distribution what is installed, seen from here
/// @param prefix the installation's directory on the host
/// @param handlers names of the runtimes that RuntimeClasses refer to
/// @param containerd socket of the containerd to be used, where there are several
/// @param restartCommand restarts containerd, run by a shell of the host; empty: found out
/// @param guests how many guests the node's limit of memory maps must allow
/// @param restart what becomes of a running daemon of another version
/// @param dryRun tell what would be done, and do nothing
public record InstallOptions(
        Path host,
        Path distribution,
        String prefix,
        List<String> handlers,
        Optional<String> containerd,
        Optional<String> restartCommand,
        int guests,
        DaemonRestart restart,
        boolean dryRun) {
    public static final String DEFAULT_PREFIX = "/opt/atoll";
    public static final String DEFAULT_HANDLER = "wasmtime";
    public static final int DEFAULT_GUESTS = 1000;

    public InstallOptions {
        handlers = List.copyOf(handlers);
    }
}
