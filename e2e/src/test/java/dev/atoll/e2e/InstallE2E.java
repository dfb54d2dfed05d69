package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import dev.atoll.cri.v1.ListPodSandboxRequest;
import dev.atoll.cri.v1.PodSandbox;
import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.cri.v1.StopPodSandboxRequest;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.CommandResult;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Installation on nodes that know nothing of Atoll.
class InstallE2E {
    private static final String CONFIG = "/etc/containerd/config.toml";

    static Stream<String> versions() {
        return Checkout.containerdVersions().stream();
    }

    static Stream<String> oneVersion() {
        return versions().limit(1);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void podsRunAfterAnInstallationAndNothingIsLeftAfterItsEnd(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            byte[] before = read(node, CONFIG);

            install(node).orThrow("install");

            assertThat(Installation.echo(node, "installed")).isEqualTo("installed\n");
            assertThat(Installation.nativePodsRun(node)).isTrue();

            long containerd = containerd(node);
            assertThat(install(node).orThrow("install again"))
                    .doesNotContain("restarted", "wrote " + CONFIG);
            assertThat(containerd(node)).isEqualTo(containerd);

            uninstall(node).orThrow("uninstall");

            assertThat(read(node, CONFIG)).isEqualTo(before);
            assertThat(Installation.leftovers(node)).isEmpty();
            assertThat(node.daemons()).isEmpty();
            assertThat(Installation.nativePodsRun(node)).isTrue();
            assertThat(uninstall(node).orThrow("uninstall again")).contains("nothing is installed");
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void importedFilesAreUsedWhereContainerdMergesThem(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            String main =
                    "imports = [\"/etc/containerd/conf.d/*.toml\"]\n"
                            + Files.readString(node.path(CONFIG));
            Files.writeString(node.path(CONFIG), main);
            boolean merges = !version.equals("trixie");

            install(node).orThrow("install");

            assertThat(Files.exists(node.path(Installation.OWN_CONFIG))).isEqualTo(merges);
            assertThat(Files.readString(node.path(CONFIG)).equals(main)).isEqualTo(merges);
            assertThat(Installation.echo(node, "installed")).isEqualTo("installed\n");

            uninstall(node).orThrow("uninstall");

            assertThat(node.path(Installation.OWN_CONFIG)).doesNotExist();
            assertThat(Files.readString(node.path(CONFIG))).isEqualTo(main);
        }
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void aRunThatIsKilledAnywhereLeavesAWorkingNodeAndIsCompletedByTheNext(String version)
            throws IOException {
        try (Node node = Node.startBare(version)) {
            byte[] before = read(node, CONFIG);

            int stops = 0;
            while (isHalted(node, "install", ++stops)) {
                install(node).orThrow("install after a halt");
                assertThat(Installation.echo(node, "installed")).isEqualTo("installed\n");
                uninstall(node).orThrow("uninstall");
            }
            // (that run came to its end)
            int backwards = 0;
            while (isHalted(node, "uninstall", ++backwards)) {
                uninstall(node).orThrow("uninstall after a halt");
                assertThat(read(node, CONFIG)).isEqualTo(before);
                assertThat(Installation.leftovers(node)).isEmpty();
                install(node).orThrow("install again");
            }

            assertThat(stops).isGreaterThan(5);
            assertThat(backwards).isGreaterThan(2);
            assertThat(read(node, CONFIG)).isEqualTo(before);
            assertThat(Installation.leftovers(node)).isEmpty();
        }
    }

    /// Halts a run after so many things, and sees that the node works.
    ///
    /// @return false if there was less to do, so that the run came to its end
    private static boolean isHalted(Node node, String verb, int after) {
        CommandResult result = halted(node, verb, after);
        if (result.exitCode() == 0) {
            return false;
        }
        assertThat(result.exitCode())
                .as(
                        "%s halted after %d things: %s%s",
                        verb, after, result.output(), result.errors())
                .isEqualTo(HaltedInstall.HALTED);
        node.exec("sh", "-c", node.restartCommand()).orThrow("restart containerd");
        node.awaitCri();
        assertThat(Installation.nativePodsRun(node))
                .as("native pods run: %s halted after thing %d", verb, after)
                .isTrue();
        return true;
    }

    private static CommandResult halted(Node node, String verb, int after) {
        String classes = Checkout.root().resolve("e2e/target/test-classes").toString();
        return node.exec(
                node.distribution() + "/runtime/bin/java",
                "-cp",
                classes + ":" + node.distribution() + "/lib/*",
                "dev.atoll.e2e.HaltedInstall",
                verb,
                Integer.toString(after),
                node.distribution(),
                node.restartCommand());
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void aConfigurationThatContainerdDoesNotComeUpWithIsTakenBack(String version)
            throws IOException {
        try (Node node = Node.startBare(version)) {
            byte[] before = read(node, CONFIG);
            String refusing =
                    "if grep -q wasmtime %s; then exit 9; else %s; fi"
                            .formatted(CONFIG, node.restartCommand());

            CommandResult result = node.atoll("install", "--restart-command", refusing);

            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.errors())
                    .contains("not installed: ")
                    .doesNotContain("take everything");
            assertThat(result.output()).contains("configuration: taken back");
            assertThat(read(node, CONFIG)).isEqualTo(before);
            assertThat(Installation.leftovers(node)).isEmpty();
            assertThat(Installation.nativePodsRun(node)).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void aLauncherOfSomebodyElseIsKeptAndPutBack(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            Files.writeString(node.path(Installation.LAUNCHER), "#!/bin/sh\nexit 1\n");
            node.exec("chmod", "755", Installation.LAUNCHER).orThrow("chmod");

            assertThat(install(node).orThrow("install")).contains("was there already");
            assertThat(Installation.echo(node, "installed")).isEqualTo("installed\n");
            uninstall(node).orThrow("uninstall");

            assertThat(Files.readString(node.path(Installation.LAUNCHER)))
                    .isEqualTo("#!/bin/sh\nexit 1\n");
            assertThat(Files.isExecutable(node.path(Installation.LAUNCHER))).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aMissingConfigurationIsMadeAndRemoved(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            Files.delete(node.path(CONFIG));
            node.exec("sh", "-c", node.restartCommand()).orThrow("restart containerd");

            assertThat(install(node).orThrow("install"))
                    .contains("configuration: wrote " + CONFIG, "serves the runtime wasmtime");
            uninstall(node).orThrow("uninstall");

            assertThat(node.path(CONFIG)).doesNotExist();
        }
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void whatCannotBeInstalledOnIsRefusedAndNotTouched(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            Files.writeString(node.path(CONFIG), "root = \"/var/lib/containerd\"\n");
            assertRefusal(node, "is of configuration version 1");

            Files.writeString(node.path(CONFIG), "version = 2\ndisabled_plugins = [\"cri\"]\n");
            assertRefusal(node, "disables the plugin cri");

            Files.writeString(
                    node.path(CONFIG),
                    """
                    version = 2
                    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.wasmtime]
                      runtime_type = "/usr/bin/another"
                    """);
            assertRefusal(node, "has a runtime wasmtime already, of type /usr/bin/another");

            Files.writeString(node.path(CONFIG), "version = \n");
            assertRefusal(node, "is no TOML");
        }
    }

    private static void assertRefusal(Node node, String reason) throws IOException {
        byte[] before = read(node, CONFIG);

        CommandResult result = install(node);

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.errors()).startsWith("atoll: not installed: ").contains(reason);
        assertThat(result.errors().lines()).hasSize(1);
        assertThat(read(node, CONFIG)).isEqualTo(before);
        assertThat(Installation.leftovers(node)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void aDryRunChangesNothing(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            byte[] before = read(node, CONFIG);

            String said =
                    node.atoll(
                                    "install",
                                    "--dry-run",
                                    "--guests=100000",
                                    "--restart-command",
                                    node.restartCommand())
                            .orThrow("dry run");

            assertThat(said)
                    .contains(
                            "would change " + CONFIG,
                            "would link the launcher: " + Installation.LAUNCHER,
                            "would raise vm.max_map_count to 808192");
            assertThat(read(node, CONFIG)).isEqualTo(before);
            assertThat(Installation.leftovers(node)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void podsLiveThroughAnUpgradeAndKeepTheirDaemonUntilTheyAreGone(String version)
            throws IOException {
        try (Node node = Node.startBare(version)) {
            install(node).orThrow("install");
            String first = current(node);
            String another = another(node, "9.9.9");
            try (Pod pod = Pod.run(node)) {
                PodContainer ticking =
                        pod.start(Installation.guest(node, "tick", "20")).awaitOutput("tick 3\n");
                NodeProcess daemon = onlyDaemon(node);

                String said = installFrom(node, another, "when-idle").orThrow("upgrade");

                assertThat(said).contains("goes on serving its pods");
                assertThat(current(node)).isEqualTo("9.9.9");
                assertThat(onlyDaemon(node).pid()).isEqualTo(daemon.pid());
                int before = (int) ticking.log().output().lines().count();
                ticking.awaitLog(log -> log.output().lines().count() > before + 5);
                CommandResult refusal = uninstall(node);
                assertThat(refusal.exitCode()).isEqualTo(1);
                assertThat(refusal.errors()).contains("drain it, or end them by --force");
                ticking.stop(0);
                ticking.awaitExit();
            }
            assertThat(node.path(Installation.PREFIX + "/" + first)).exists();

            installFrom(node, another, "when-idle").orThrow("upgrade again");

            assertThat(Installation.echo(node, "upgraded")).isEqualTo("upgraded\n");
            assertThat(onlyDaemon(node).words())
                    .anyMatch(word -> word.startsWith(Installation.PREFIX + "/9.9.9/"));
            assertThat(node.path(Installation.PREFIX + "/" + first)).doesNotExist();

            installFrom(node, node.distribution(), "now").orThrow("downgrade");

            assertThat(Installation.echo(node, "downgraded")).isEqualTo("downgraded\n");
            assertThat(current(node)).isEqualTo(first);
            assertThat(node.path(Installation.PREFIX + "/9.9.9")).doesNotExist();
        }
    }

    @ParameterizedTest
    @MethodSource("oneVersion")
    void podsAreEndedByForceOnly(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            install(node).orThrow("install");
            try (Pod pod = Pod.run(node)) {
                PodContainer container =
                        pod.start(Installation.guest(node, "sleep")).awaitOutput("sleeping");

                node.atoll("uninstall", "--force", "--restart-command", node.restartCommand())
                        .orThrow("uninstall");

                assertThat(container.awaitExit().getExitCode()).isNotZero();
                assertThat(Installation.leftovers(node)).isEmpty();
                assertThat(node.daemons()).isEmpty();
            }
            assertThat(Leftovers.of(node).bundles()).isZero();
        }
    }

    private static CommandResult install(Node node) {
        return node.atoll("install", "--restart-command", node.restartCommand());
    }

    private static CommandResult installFrom(Node node, String distribution, String when) {
        return node.atoll(
                "install",
                "--distribution",
                distribution,
                "--restart-daemon",
                when,
                "--restart-command",
                node.restartCommand());
    }

    private static CommandResult uninstall(Node node) {
        return node.atoll("uninstall", "--restart-command", node.restartCommand());
    }

    /// Makes a distribution that says of itself that it is another version.
    private static String another(Node node, String version) {
        String copy = "/var/tmp/atoll-" + version;
        node.exec("cp", "-a", node.distribution(), copy).orThrow("copy the distribution");
        node.execWithInput(version + "\n", "sh", "-c", "cat > " + copy + "/version")
                .orThrow("write the version");
        return copy;
    }

    private static String current(Node node) throws IOException {
        return Files.readSymbolicLink(node.path(Installation.PREFIX + "/current")).toString();
    }

    private static long containerd(Node node) {
        return node.processes().stream()
                .filter(process -> process.name().equals("containerd"))
                .findFirst()
                .orElseThrow()
                .pid();
    }

    private static NodeProcess onlyDaemon(Node node) {
        List<NodeProcess> daemons = node.daemons();
        assertThat(daemons).hasSize(1);
        return daemons.getFirst();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aDoctorTellsWhatIsWrongAndWhatToDo(String version) throws IOException {
        try (Node node = Node.startBare(version)) {
            CommandResult before = node.atoll("doctor");
            assertThat(before.exitCode()).isEqualTo(1);
            assertThat(before.output())
                    .contains("wrong installation: nothing is installed")
                    .contains("→ run atoll install")
                    .contains("wrong pod: no pod of the runtime wasmtime can be run");

            install(node).orThrow("install");

            String healthy = node.atoll("doctor", "--json").orThrow("doctor");
            assertThat(JsonParser.parseString(healthy).getAsJsonArray())
                    .extracting(finding -> finding.getAsJsonObject().get("verdict").getAsString())
                    .containsOnly("fine");
            assertThat(healthy).contains("one of the runtime wasmtime ran to its end");
            assertThat(Leftovers.of(node).bundles()).isZero();

            // A pod may be faster than who ends it.
            Awaitility.await("a pod of the doctor that is ended before it has run")
                    .atMost(Duration.ofMinutes(1))
                    .until(() ->
                            doctorBesideAKubelet(node)
                                    .contains("; 1 before it was ended from outside, as kubelet"));

            Files.delete(node.path(Installation.LAUNCHER));
            assertThat(node.atoll("doctor", "--no-pod").output())
                    .contains("wrong launcher: no directory of containerd's search path");
        }
    }

    /// Does to the doctor's first pod what a kubelet does to pods that it did not make.
    private static String doctorBesideAKubelet(Node node) {
        AtomicBoolean over = new AtomicBoolean();
        CompletableFuture<Void> kubelet =
                CompletableFuture.runAsync(() ->
                        Awaitility.await("pod of the doctor")
                                .pollInSameThread()
                                .pollInterval(Duration.ofMillis(1))
                                .atMost(Duration.ofSeconds(60))
                                .until(() -> over.get() || endedAPod(node)));
        String found = node.atoll("doctor").orThrow("doctor");
        over.set(true);
        kubelet.join();
        assertThat(found).contains("fine  pod: one of the runtime wasmtime ran to its end");
        return found;
    }

    private static boolean endedAPod(Node node) {
        Optional<PodSandbox> ready =
                node
                        .cri()
                        .runtime()
                        .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                        .getItemsList()
                        .stream()
                        .filter(pod -> pod.getState() == PodSandboxState.SANDBOX_READY)
                        .findFirst();
        ready.ifPresent(pod ->
                node.cri()
                        .runtime()
                        .stopPodSandbox(
                                StopPodSandboxRequest.newBuilder()
                                        .setPodSandboxId(pod.getId())
                                        .build()));
        return ready.isPresent();
    }

    private static byte[] read(Node node, String file) throws IOException {
        return Files.readAllBytes(node.path(file));
    }
}
