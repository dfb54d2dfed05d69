package dev.atoll.deploy.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Puts our launcher where containerd looks for it, and what was there before back again. At each
/// moment there is one of the two.
///
/// @param link the place on the host
record LauncherSwap(Host host, Layout layout, String link) {
    /// Copies what somebody else put there.
    ///
    /// @return false if there is nothing
    boolean keepForeign() throws InstallFailed, IOException {
        Path place = host.path(link);
        if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)
                || LauncherPlace.isOurs(host, link, layout)) {
            return false;
        }
        AtomicFiles.copy(place, host.path(layout.foreignLauncher()));
        return true;
    }

    void putOurs() throws InstallFailed, IOException {
        AtomicFiles.link(host.path(link), layout.launcher());
    }

    /// Does nothing if the place is not ours any more.
    void restore() throws InstallFailed, IOException {
        if (!LauncherPlace.isOurs(host, link, layout)) {
            return;
        }
        Path kept = host.path(layout.foreignLauncher());
        if (Files.exists(kept, LinkOption.NOFOLLOW_LINKS)) {
            AtomicFiles.copy(kept, host.path(link));
            Files.delete(kept);
        } else {
            Files.delete(host.path(link));
        }
    }
}
