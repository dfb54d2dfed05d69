package dev.atoll.deploy.cli;

import dev.atoll.deploy.install.Doctor;
import dev.atoll.deploy.install.Installer;
import dev.atoll.deploy.install.Uninstaller;
import dev.atoll.deploy.node.ClusterNode;
import dev.atoll.shim.log.Logging;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/// The entry point of `atoll`.
public final class Main {
    private Main() {}

    /// Ends the JVM with the command's exit status.
    public static void main(String[] arguments) {
        Logging.silence();
        Map<String, String> environment = System.getenv();
        Console console = new Console(System.out, System.err);
        InstantSource clock = InstantSource.system();
        Cluster cluster = new Cluster(node -> ClusterNode.inPod(node, environment, clock));
        CommandLine commandLine =
                new CommandLine(
                        console,
                        List.of(
                                new PsCommand(DaemonClient.opener(environment), clock),
                                new InfoCommand(DaemonClient.opener(environment), clock),
                                new PushCommand(new RegistryPusher()),
                                new InstallCommand(Installer::install, cluster),
                                new UninstallCommand(Uninstaller::uninstall, cluster),
                                new WatchCommand(cluster),
                                new DoctorCommand(Doctor::examine),
                                new VersionCommand()));
        System.exit(commandLine.run(List.of(arguments)));
    }
}
