package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.CommandResult;
import dev.atoll.e2e.node.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The installer in its image, in a container like that of the DaemonSet: privileged, with the
/// node's processes, and its root at `/host`.
class InstallerImageE2E {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final String CONFIG = "/etc/containerd/config.toml";

    static Stream<String> oneVersion() {
        return Checkout.containerdVersions().stream().limit(1);
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void theImageInstallsExaminesAndUninstalls(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            byte[] before = Files.readAllBytes(node.path(CONFIG));
            String image = load(node);

            String installed = run(node, image, "install", node.restartCommand());
            assertThat(installed).contains("installed: Atoll ");
            assertThat(Installation.echo(node, "installed")).isEqualTo("installed\n");

            assertThat(run(node, image, "doctor"))
                    .contains("fine  pod: one of the runtime wasmtime ran to its end")
                    .doesNotContain("wrong ");

            String uninstalled = run(node, image, "uninstall", node.restartCommand());
            assertThat(uninstalled).contains("uninstalled: Atoll ");
            assertThat(Files.readAllBytes(node.path(CONFIG))).isEqualTo(before);
            assertThat(Installation.leftovers(node)).isEmpty();
        }
    }

    private static String load(Node node) {
        Path archive = Checkout.root().resolve("target/image/atoll.tar");
        assertThat(archive).as("the image that make image builds").exists();
        node.ctr("k8s.io", "images", "import", archive.toString()).orThrow("import the image");
        return node.ctr("k8s.io", "images", "list", "--quiet")
                .orThrow("list images")
                .lines()
                .filter(name -> name.contains("/atoll:"))
                .findFirst()
                .orElseThrow();
    }

    /// Detached: `ctr` itself does not live through the restart of containerd.
    private static String run(Node node, String image, String verb, String... restartCommand) {
        String log = "/var/log/installer-" + verb + ".log";
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "run",
                                "--detach",
                                "--log-uri",
                                "file://" + log,
                                "--privileged",
                                "--with-ns",
                                "pid:/proc/1/ns/pid",
                                "--mount",
                                "type=bind,src=/,dst=/host,options=rbind:rw",
                                image,
                                verb,
                                "/opt/atoll/bin/atoll",
                                verb,
                                "--host",
                                "/host"));
        for (String command : restartCommand) {
            words.addAll(List.of("--restart-command", command));
        }
        node.ctr("k8s.io", words.toArray(String[]::new)).orThrow("run the installer");
        Awaitility.await(verb)
                .atMost(DEADLINE)
                .pollInterval(Duration.ofMillis(500))
                .until(() -> isStopped(node, verb));
        node.ctr("k8s.io", "tasks", "delete", verb);
        node.ctr("k8s.io", "containers", "delete", verb).orThrow("delete the container");
        return node.exec("cat", log).orThrow("read the log");
    }

    private static boolean isStopped(Node node, String container) {
        CommandResult tasks = node.ctr("k8s.io", "tasks", "list");
        return tasks.exitCode() == 0
                && tasks.output()
                        .lines()
                        .anyMatch(line -> line.startsWith(container) && line.contains("STOPPED"));
    }
}
