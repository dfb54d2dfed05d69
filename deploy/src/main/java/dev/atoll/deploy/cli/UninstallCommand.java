package dev.atoll.deploy.cli;

import dev.atoll.deploy.install.InstallFailed;
import dev.atoll.deploy.install.Progress;
import dev.atoll.deploy.install.UninstallOptions;
import dev.atoll.deploy.node.ApiFailed;
import dev.atoll.deploy.node.NodeReport;
import java.util.Optional;
import java.util.Set;

/// `atoll uninstall`: the node is as it was.
record UninstallCommand(Action action, Cluster cluster) implements Command {

    /// Uninstalls.
    interface Action {
        void uninstall(UninstallOptions options, Progress progress) throws InstallFailed;
    }

    @Override
    public String name() {
        return "uninstall";
    }

    @Override
    public String summary() {
        return "Take Atoll away from the node";
    }

    @Override
    public String help() {
        return """
        Usage: atoll uninstall [OPTION...]
        Takes away what atoll install made, and puts back what it replaced. Refuses while the node has pods of Atoll.
        /etc/atoll stays. Needs root.

          --force                 end the pods that run
          --host DIR              where the node's root directory is seen (default /)
          --prefix DIR            the installation's directory on the node (default /opt/atoll)
          --containerd SOCKET     the containerd to use, where several run
          --restart-command TEXT  how a shell of the node restarts containerd (default: by its service)
          --node NAME             take the labels off the cluster's Node object first; works in a pod
        """;
    }

    @Override
    public Options options() {
        return new Options(
                Set.of("--force"),
                Set.of("--host", "--prefix", "--containerd", "--restart-command", "--node"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        arguments.requireOperands();
        UninstallOptions options =
                new UninstallOptions(
                        HostArguments.host(arguments),
                        HostArguments.prefix(arguments),
                        arguments.value("--containerd"),
                        arguments.value("--restart-command"),
                        arguments.has("--force"));
        Optional<NodeReport> report = cluster.report(arguments);
        try {
            if (report.isPresent()) {
                report.get().withdraw();
            }
            action.uninstall(options, HostArguments.progress(console));
        } catch (ApiFailed e) {
            throw new CommandFailed("not uninstalled: " + e.getMessage(), e);
        } catch (InstallFailed e) {
            String message = "not uninstalled: " + e.getMessage();
            if (report.isPresent()) {
                Cluster.tell(report.get(), true, "AtollUninstallFailed", message);
            }
            throw new CommandFailed(message, e);
        }
        if (report.isPresent()) {
            Cluster.tell(
                    report.get(), false, "AtollUninstalled", "Atoll is not on this node any more");
        }
    }
}
