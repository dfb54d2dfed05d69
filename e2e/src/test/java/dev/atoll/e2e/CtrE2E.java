package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.CommandResult;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.oci.image.MediaTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers without Kubernetes, by containerd's own `ctr`, and what containerd is told about
/// them.
@EveryNode
class CtrE2E {
    private static final String RUNTIME = "io.containerd.wasmtime.v1";
    private static final String DEFAULT = "default";
    private static final String KUBERNETES = "k8s.io";

    private final TestNode on;
    private final String id = "ctr-" + UUID.randomUUID().toString().substring(0, 8);

    CtrE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "ctr is told the runtime here");
    }

    @AfterEach
    void removeWhatIsLeft() {
        for (String namespace : List.of(DEFAULT, KUBERNETES)) {
            var _ = on.node().ctr(namespace, "tasks", "delete", "--force", id);
            var _ = on.node().ctr(namespace, "containers", "delete", id);
        }
    }

    /// Pushes a guest as `ctr` can run it, and pulls it into a namespace.
    private String pulled(String namespace, String guest) {
        Artifact artifact =
                Artifact.of(Checkout.guest(guest)).withConfigType(MediaTypes.OCI_CONFIG);
        String image = on.images().push(artifact);
        on.node().ctr(namespace, "images", "pull", "--plain-http", image).orThrow("pull " + image);
        return image;
    }

    private CommandResult run(String image, String... arguments) {
        return on.node().ctr(DEFAULT, runWords(image, arguments));
    }

    private String[] runWords(String image, String... arguments) {
        var words =
                new ArrayList<>(
                        List.of("run", "--rm", "--runtime", RUNTIME, image, id, "/app.wasm"));
        words.addAll(List.of(arguments));
        return words.toArray(String[]::new);
    }

    /// Runs with something to read whose end comes when the task runs: `ctr` never tells the shim
    /// of an end that came while it was still creating the task.
    private CommandResult runWithInput(String input, String image, String... arguments) {
        var words =
                new ArrayList<>(
                        List.of(
                                "bash",
                                "-c",
                                """
                                ctr=$0 id=$1; shift
                                running() { "$ctr" tasks list 2>/dev/null | grep -q "^$id .*RUNNING"; }
                                { cat; for _ in {1..200}; do if running; then break; fi; sleep 0.05; done; } | "$ctr" "$@"
                                """,
                                on.node().ctrProgram(),
                                id));
        words.addAll(List.of(runWords(image, arguments)));
        return on.node().execWithInput(input, words.toArray(String[]::new));
    }

    @Test
    void ctrRunRunsAnArtifact() {
        CommandResult result = run(pulled(DEFAULT, "hello.p1.wasm"));

        assertThat(result)
                .isEqualTo(new CommandResult(0, "Hello from WebAssembly\n", result.errors()));
    }

    @Test
    void ctrRunEndsWithTheGuestsExitCode() {
        assertThat(run(pulled(DEFAULT, "guest.p1.wasm"), "exit", "3").exitCode()).isEqualTo(3);
    }

    @Test
    void standardInputReachesTheGuestToItsEnd() {
        String text = "line\n".repeat(100_000) + "no newline";

        CommandResult result = runWithInput(text, pulled(DEFAULT, "guest.p1.wasm"), "cat");

        assertThat(result.output()).isEqualTo(text);
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void aComponentReadsItsStandardInput() {
        assertThat(runWithInput("hello\n", pulled(DEFAULT, "guest.p2.wasm"), "cat").output())
                .isEqualTo("hello\n");
    }

    @Test
    void theSameIdInTwoNamespacesIsTwoContainers() {
        for (String namespace : List.of(DEFAULT, KUBERNETES)) {
            String image = pulled(namespace, "guest.p1.wasm");
            on.node()
                    .ctr(
                            namespace,
                            "run",
                            "--detach",
                            "--runtime",
                            RUNTIME,
                            image,
                            id,
                            "/app.wasm",
                            "sleep")
                    .orThrow("run " + id + " in " + namespace);
        }

        on.node().ctr(DEFAULT, "tasks", "kill", "--signal", "KILL", id).orThrow("kill " + id);

        Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(stateIn(DEFAULT)).isEqualTo("STOPPED"));
        assertThat(stateIn(KUBERNETES)).isEqualTo("RUNNING");
    }

    private String stateIn(String namespace) {
        return on.node()
                .ctr(namespace, "tasks", "list")
                .output()
                .lines()
                .filter(line -> line.startsWith(id + " "))
                .map(line -> line.split(" +", -1)[2])
                .findFirst()
                .orElse("none");
    }

    @Test
    void aSecondTaskOfAContainerIsRefused() {
        String image = pulled(DEFAULT, "guest.p1.wasm");
        on.node()
                .ctr(
                        DEFAULT,
                        "run",
                        "--detach",
                        "--runtime",
                        RUNTIME,
                        image,
                        id,
                        "/app.wasm",
                        "sleep")
                .orThrow("run " + id);

        CommandResult second = on.node().ctr(DEFAULT, "tasks", "start", "--detach", id);

        assertThat(second.exitCode()).isNotZero();
        assertThat(second.errors()).contains("already exists");
        assertThat(stateIn(DEFAULT)).isEqualTo("RUNNING");
    }

    @Test
    void eventsOfAContainerComeInOrder() throws IOException {
        String inside = "/run/node/events-" + id;
        Path file = on.node().path(inside);
        String pid =
                on.node()
                        .exec(
                                "bash",
                                "-c",
                                "setsid '%s' events >%s 2>&1 </dev/null & echo $!"
                                        .formatted(on.node().ctrProgram(), inside))
                        .orThrow("listen to events")
                        .strip();
        try (Pod pod = on.pod()) {
            // Listening begins some time after the command was started: a first container's events
            // show that it has.
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> {
                        PodContainer probe = pod.start(on.guest("hello"));
                        probe.awaitExit();
                        assertThat(Files.readString(file)).contains(probe.id());
                    });
            PodContainer container = pod.start(on.guest("hello"));
            container.awaitExit();
            container.remove();

            Awaitility.await()
                    .atMost(Duration.ofSeconds(10))
                    .untilAsserted(() ->
                            assertThat(topics(file, container.id()))
                                    .containsExactly(
                                            "/tasks/create",
                                            "/tasks/start",
                                            "/tasks/exit",
                                            "/tasks/delete"));
        } finally {
            on.node().exec("kill", pid).orThrow("end ctr events");
        }
    }

    private static List<String> topics(Path file, String container) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> line.contains("/tasks/") && line.contains(container))
                .map(line -> line.replaceFirst(".* (/tasks/[a-z]+) .*", "$1"))
                .toList();
    }
}
