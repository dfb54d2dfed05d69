package dev.atoll.deploy.install;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The host's services.
///
/// @param containerdCommand a command of the operator that restarts containerd
record Services(Host host, Optional<String> containerdCommand) {

    /// How containerd is restarted.
    ///
    /// @param description for the operator
    /// @param words what is run on the host
    record Restart(String description, List<String> words) {
        Restart {
            words = List.copyOf(words);
        }

        static Restart of(String... words) {
            return new Restart(String.join(" ", words), List.of(words));
        }
    }

    /// Whether systemd manages the host.
    boolean isSystemd() throws InstallFailed {
        return host.exists("/run/systemd/system");
    }

    /// @throws InstallFailed if nothing is known that restarts it
    Restart restartOf(RunningContainerd containerd) throws InstallFailed {
        if (containerdCommand.isPresent()) {
            String command = containerdCommand.get();
            return new Restart(command, List.of("sh", "-c", command));
        }
        if (containerd.unit().isPresent()) {
            return Restart.of("systemctl", "restart", containerd.unit().get());
        }
        if (host.run("sh", "-c", "systemctl is-active containerd").succeeded()) {
            return Restart.of("systemctl", "restart", "containerd");
        }
        if (host.has("rc-service")) {
            return Restart.of("rc-service", "containerd", "restart");
        }
        throw new InstallFailed(
                "containerd (pid %d) is no service of systemd or OpenRC: name the command that restarts it by --restart-command"
                        .formatted(containerd.pid()));
    }

    void restart(Restart restart) throws InstallFailed {
        run(restart.words());
    }

    void systemctl(String... words) throws InstallFailed {
        List<String> all = new ArrayList<>(List.of("systemctl"));
        all.addAll(List.of(words));
        run(all);
    }

    private void run(List<String> words) throws InstallFailed {
        HostCommands.Result result = host.run(words.toArray(String[]::new));
        if (!result.succeeded()) {
            throw new InstallFailed(
                    "%s failed: %s".formatted(String.join(" ", words), result.lastLine()));
        }
    }
}
