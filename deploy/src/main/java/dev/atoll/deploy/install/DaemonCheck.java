package dev.atoll.deploy.install;

import java.io.IOException;

/// Has a distribution of the host find out whether its daemon could start there: architecture, C
/// library, a file system without `noexec`, the engine, the node's configuration.
final class DaemonCheck {
    private DaemonCheck() {}

    static HostCommands.Result run(Host host, Layout layout, String distribution)
            throws InstallFailed, IOException {
        String state = layout.prefix() + "/.check";
        AtomicFiles.deleteTree(host.path(state));
        try {
            return host.run(distribution + "/bin/atolld", "--check", "--state-dir", state);
        } finally {
            AtomicFiles.deleteTree(host.path(state));
        }
    }
}
