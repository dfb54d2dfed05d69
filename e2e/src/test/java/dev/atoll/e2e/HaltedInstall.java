package dev.atoll.e2e;

import dev.atoll.deploy.install.DaemonRestart;
import dev.atoll.deploy.install.InstallFailed;
import dev.atoll.deploy.install.InstallOptions;
import dev.atoll.deploy.install.Installer;
import dev.atoll.deploy.install.Progress;
import dev.atoll.deploy.install.UninstallOptions;
import dev.atoll.deploy.install.Uninstaller;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// A program that installs or uninstalls, and halts as if it was killed right after the given
/// number of things were done: `HaltedInstall install|uninstall NUMBER DISTRIBUTION
/// RESTART-COMMAND`.
final class HaltedInstall {
    /// The exit code of a halt; 0 is that of a run that came to its end.
    static final int HALTED = 77;

    private HaltedInstall() {}

    public static void main(String[] words) throws InstallFailed {
        var left = new AtomicInteger(Integer.parseInt(words[1]));
        Progress progress =
                line -> {
                    System.out.println(line);
                    if (left.decrementAndGet() == 0) {
                        Runtime.getRuntime().halt(HALTED);
                    }
                };
        Path host = Path.of("/");
        Optional<String> restart = Optional.of(words[3]);
        if (words[0].equals("install")) {
            Installer.install(
                    new InstallOptions(
                            host,
                            Path.of(words[2]),
                            InstallOptions.DEFAULT_PREFIX,
                            List.of(InstallOptions.DEFAULT_HANDLER),
                            Optional.empty(),
                            restart,
                            InstallOptions.DEFAULT_GUESTS,
                            DaemonRestart.WHEN_IDLE,
                            false),
                    progress);
        } else {
            Uninstaller.uninstall(
                    new UninstallOptions(
                            host, InstallOptions.DEFAULT_PREFIX, Optional.empty(), restart, false),
                    progress);
        }
        // (gRPC's threads would keep the JVM)
        System.exit(0);
    }
}
