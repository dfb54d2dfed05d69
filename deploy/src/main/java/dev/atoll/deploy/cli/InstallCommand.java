package dev.atoll.deploy.cli;

import dev.atoll.deploy.install.DaemonRestart;
import dev.atoll.deploy.install.InstallFailed;
import dev.atoll.deploy.install.InstallOptions;
import dev.atoll.deploy.install.Progress;
import dev.atoll.deploy.node.NodeReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// `atoll install`: this distribution becomes the node's.
record InstallCommand(Action action, Cluster cluster) implements Command {
    private static final int MOST_GUESTS = 1_000_000;
    private static final Map<String, DaemonRestart> RESTARTS =
            Map.of(
                    "never", DaemonRestart.NEVER,
                    "when-idle", DaemonRestart.WHEN_IDLE,
                    "now", DaemonRestart.NOW);

    /// Installs.
    interface Action {
        void install(InstallOptions options, Progress progress) throws InstallFailed;
    }

    @Override
    public String name() {
        return "install";
    }

    @Override
    public String summary() {
        return "Install this distribution on the node, or upgrade to it";
    }

    @Override
    public String help() {
        return """
        Usage: atoll install [OPTION...]
        Copies this distribution to the node, has containerd know the runtime, restarts containerd if it must, and
        checks that it serves pods; if anything fails, everything is taken back. Needs root.

          --dry-run               tell what would be done, and do nothing
          --host DIR              where the node's root directory is seen (default /); elsewhere the node's first
                                  process must be pid 1 here, as in a pod with hostPID
          --prefix DIR            the installation's directory on the node (default /opt/atoll)
          --handlers NAME,...     names of the runtimes that RuntimeClasses refer to (default wasmtime)
          --containerd SOCKET     the containerd to use, where several run
          --restart-command TEXT  how a shell of the node restarts containerd (default: by its service)
          --guests N              raise vm.max_map_count for so many guests, if it is lower (default 1000)
          --restart-daemon WHEN   a running daemon of another version, and its pods with it, is ended never, when-idle
                                  (default: if it has no pods) or now
          --distribution DIR      install another distribution than this command's
          --node NAME             tell the cluster's Node object; works in a pod
        """;
    }

    @Override
    public Options options() {
        return new Options(
                Set.of("--dry-run"),
                Set.of(
                        "--host",
                        "--prefix",
                        "--handlers",
                        "--containerd",
                        "--restart-command",
                        "--guests",
                        "--restart-daemon",
                        "--distribution",
                        "--node"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        arguments.requireOperands();
        InstallOptions options =
                new InstallOptions(
                        HostArguments.host(arguments),
                        distribution(arguments),
                        HostArguments.prefix(arguments),
                        List.of(
                                arguments
                                        .value("--handlers")
                                        .orElse(InstallOptions.DEFAULT_HANDLER)
                                        .split(",", -1)),
                        arguments.value("--containerd"),
                        arguments.value("--restart-command"),
                        guests(arguments),
                        restart(arguments),
                        arguments.has("--dry-run"));
        Optional<NodeReport> report = cluster.report(arguments);
        try {
            action.install(options, HostArguments.progress(console));
        } catch (InstallFailed e) {
            String message = "not installed: " + e.getMessage();
            if (report.isPresent()) {
                Cluster.tell(report.get(), true, "AtollInstallFailed", message);
            }
            throw new CommandFailed(message, e);
        }
        if (report.isPresent() && !options.dryRun()) {
            Cluster.tell(report.get(), false, "AtollInstalled", "Atoll is installed on this node");
        }
    }

    private static Path distribution(Arguments arguments) throws WrongUsage {
        Optional<String> told =
                arguments
                        .value("--distribution")
                        .or(() -> Optional.ofNullable(System.getProperty("atoll.home")));
        return Path.of(told.orElseThrow(() -> new WrongUsage("--distribution is missing")))
                .toAbsolutePath();
    }

    private static int guests(Arguments arguments) throws WrongUsage {
        String text =
                arguments.value("--guests").orElse(Integer.toString(InstallOptions.DEFAULT_GUESTS));
        if (!text.matches("[0-9]{1,7}") || Integer.parseInt(text) > MOST_GUESTS) {
            throw new WrongUsage(
                    "--guests: expected a number up to %d, found %s".formatted(MOST_GUESTS, text));
        }
        return Integer.parseInt(text);
    }

    private static DaemonRestart restart(Arguments arguments) throws WrongUsage {
        String text = arguments.value("--restart-daemon").orElse("when-idle");
        DaemonRestart restart = RESTARTS.get(text);
        if (restart == null) {
            throw new WrongUsage(
                    "--restart-daemon: expected never, when-idle or now, found %s".formatted(text));
        }
        return restart;
    }
}
