package dev.atoll.deploy.cli;

import dev.atoll.deploy.install.InstallFailed;
import dev.atoll.deploy.node.ApiFailed;
import dev.atoll.deploy.node.NodeReport;
import java.time.Duration;
import java.util.Set;

/// `atoll watch`: what the DaemonSet's pod does after the installation.
record WatchCommand(Cluster cluster) implements Command {
    private static final Duration PAUSE = Duration.ofSeconds(30);

    @Override
    public String name() {
        return "watch";
    }

    @Override
    public String summary() {
        return "Keep the labels of the cluster's Node object true; for the DaemonSet";
    }

    @Override
    public String help() {
        return """
        Usage: atoll watch --node NAME [--once] [--host DIR] [--prefix DIR]
        Labels the Node object atoll.dev/wasmtime=ready while an installation is complete and kubelet knows its
        runtimes, and takes the label away otherwise. Looks every 30 seconds until it is ended.

          --node NAME   the Node object
          --once        look once and end
          --host DIR    where the node's root directory is seen (default /)
          --prefix DIR  the installation's directory on the node (default /opt/atoll)
        """;
    }

    @Override
    public Options options() {
        return new Options(Set.of("--once"), Set.of("--node", "--host", "--prefix"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        arguments.requireOperands();
        NodeReport report =
                cluster.report(arguments)
                        .orElseThrow(() -> new WrongUsage("--node is missing: which Node object?"));
        if (arguments.has("--once")) {
            try {
                String state = report.update();
                console.out().println(Printable.of(state));
            } catch (ApiFailed | InstallFailed e) {
                throw new CommandFailed(String.valueOf(e.getMessage()), e);
            }
            return;
        }
        String last = "";
        while (true) {
            String state = state(report);
            if (!state.equals(last)) {
                console.out().println(Printable.of(state));
                console.out().flush();
                last = state;
            }
            try {
                Thread.sleep(PAUSE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CommandFailed("interrupted", e);
            }
        }
    }

    /// An API server that is away now is asked again.
    private static String state(NodeReport report) {
        try {
            return report.update();
        } catch (ApiFailed | InstallFailed e) {
            return "cannot tell the cluster: " + e.getMessage();
        }
    }
}
