package dev.atoll.deploy.cli;

import dev.atoll.deploy.install.InstallFailed;
import dev.atoll.deploy.install.InstalledVersion;
import dev.atoll.deploy.node.ApiFailed;
import dev.atoll.deploy.node.NodeApi;
import dev.atoll.deploy.node.NodeReport;
import java.nio.file.Path;
import java.util.Optional;

/// The node's object in the cluster, for the commands that run in pods; elsewhere there is none.
record Cluster(Opener nodes) {
    /// Connects to the API server.
    interface Opener {
        NodeApi open(String node) throws ApiFailed;
    }

    /// @return empty if the user named no node
    Optional<NodeReport> report(Arguments arguments) throws WrongUsage, CommandFailed {
        Optional<String> name = arguments.value("--node");
        if (name.isEmpty()) {
            return Optional.empty();
        }
        Path host = HostArguments.host(arguments);
        String prefix = HostArguments.prefix(arguments);
        try {
            return Optional.of(
                    new NodeReport(
                            nodes.open(name.get()), () -> InstalledVersion.find(host, prefix)));
        } catch (ApiFailed e) {
            throw new CommandFailed(String.valueOf(e.getMessage()), e);
        }
    }

    /// Sets the labels, and tells what has happened.
    static void tell(NodeReport report, boolean warning, String reason, String message)
            throws CommandFailed {
        try {
            report.node().tell(warning, reason, message);
            report.update();
        } catch (ApiFailed | InstallFailed e) {
            throw new CommandFailed(
                    "%s; and the cluster could not be told: %s".formatted(message, e.getMessage()),
                    e);
        }
    }
}
