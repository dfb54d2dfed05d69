package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.ContainerSession;
import dev.atoll.e2e.pod.ExecResult;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Commands in containers, as probes, hooks and `kubectl exec` run them.
@EveryNode
class ExecE2E {
    private final TestNode on;

    ExecE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "what can be executed is Atoll's own");
    }

    private PodContainer sleeper(Pod pod) {
        return pod.start(on.guest("sleep")).awaitOutput("sleeping");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/app.wasm", "app.wasm", "app"})
    void theContainersOwnProgramRunsWithOtherArguments(String name) {
        try (Pod pod = on.pod()) {
            PodContainer container = sleeper(pod);

            assertThat(container.exec(name, "both", "out", "err"))
                    .isEqualTo(new ExecResult(0, "out\n", "err\n"));
            assertThat(container.exec(name, "exit", "3")).isEqualTo(new ExecResult(3, "", ""));
            assertThat(container.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    @Test
    void anotherLayerRunsByItsTitle() {
        String image =
                on.images()
                        .push(
                                Artifact.of(Checkout.guest("guest.p1.wasm"))
                                        .withEntrypoint("/guest.wasm")
                                        .withLayers(
                                                Artifact.titled(
                                                        "guest.wasm",
                                                        Checkout.guest("guest.p1.wasm")),
                                                Artifact.titled(
                                                        "tools/hello.wasm",
                                                        Checkout.guest("hello.p2.wasm"))));
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(ContainerRequest.of(image).args("sleep")).awaitOutput("sleeping");

            assertThat(container.exec("hello"))
                    .isEqualTo(new ExecResult(0, "Hello from WebAssembly\n", ""));
        }
    }

    @Test
    void aFileOfAVolumeRunsByItsPathAndSeesTheContainersFiles() throws IOException {
        Path tools = Files.createTempDirectory(on.node().path("/tmp"), "tools");
        Files.copy(Checkout.guest("guest.p1.wasm"), tools.resolve("tool.wasm"));
        String inside = "/tmp/" + tools.getFileName();
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guest("sleep").mount(inside, "/tools", false).env("COLOUR", "red"))
                            .awaitOutput("sleeping");

            var _ = container.exec("/tools/tool.wasm", "write", "/tools/note", "noted");
            assertThat(Files.readString(tools.resolve("note"))).isEqualTo("noted");
            assertThat(container.exec("/tools/tool.wasm", "env").output()).contains("COLOUR=red\n");
        } finally {
            on.node().exec("rm", "-r", inside).orThrow("remove " + inside);
        }
    }

    @Test
    void itIsInThePodsNetwork() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guestOf("guest.p2.wasm", "tcp-serve", "7000"))
                            .awaitOutput("listening");

            assertThat(container.exec("app", "tcp-connect", "127.0.0.1:7000", "hello").output())
                    .isEqualTo("hello\n");
        }
    }

    @Test
    void whatCannotBeRunEndsAsInAShellAndNotAsAnError() {
        try (Pod pod = on.pod()) {
            ExecResult missing = sleeper(pod).exec("sh", "-c", "true");
            ExecResult server = pod.start(on.server()).exec("app.wasm", "healthcheck");

            assertThat(missing.exitCode()).isEqualTo(127);
            assertThat(missing.errors())
                    .startsWith(
                            "atoll: sh: not found in the container; a wasm container has no shell");
            assertThat(server.exitCode()).isEqualTo(126);
            assertThat(server.errors()).contains("serves HTTP and is no command");
        }
    }

    @ParameterizedTest
    @CsvSource({"unreachable, 134", "panic, 134"})
    void aTrapIsTheCommandsAlone(String how, int status) {
        try (Pod pod = on.pod()) {
            PodContainer container = sleeper(pod);

            assertThat(container.exec("app", how).exitCode()).isEqualTo(status);
            assertThat(container.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    @Test
    void aCommandThatCrossesTheContainersMemoryLimitEndsAlone() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guest("hold", "20").limits(l -> l.setMemoryLimitInBytes(32 << 20)))
                            .awaitOutput("held");

            ExecResult bomb = container.exec("app", "hog", "16");

            assertThat(bomb.exitCode()).isEqualTo(137);
            assertThat(bomb.errors())
                    .contains("the container's memory limit of 33554432 bytes was reached");
            assertThat(container.exec("app", "hog", "4").exitCode()).isZero();
            assertThat(container.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    /// As kubelet wants it of every container on a node with cgroup v2.
    @Test
    void aCommandThatCrossesTheLimitEndsItsContainerWhereAllOfItIsToEnd() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(
                                    on.guest("hold", "20")
                                            .limits(l ->
                                                    l.setMemoryLimitInBytes(32 << 20)
                                                            .putUnified("memory.oom.group", "1")))
                            .awaitOutput("held");

            assertThat(container.exec("app", "hog", "16").exitCode()).isEqualTo(137);

            ContainerStatus status = container.awaitExit();
            assertThat(status.getExitCode()).isEqualTo(137);
            assertThat(status.getReason()).isEqualTo("OOMKilled");
        }
    }

    @Test
    void theTimeOfACommandIsItsContainersAndUnderItsQuota() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(
                                    on.guest("sleep")
                                            .limits(l ->
                                                    l.setCpuQuota(20_000).setCpuPeriod(100_000)))
                            .awaitOutput("sleeping");
            long before = container.stats().getCpu().getUsageCoreNanoSeconds().getValue();
            long begun = System.nanoTime();

            assertThat(container.exec("app", "count", "100000000").exitCode()).isZero();

            long wall = System.nanoTime() - begun;
            long used = container.stats().getCpu().getUsageCoreNanoSeconds().getValue() - before;
            // A fifth of a core, and the quota of the period that it began in.
            assertThat(used).isBetween(30_000_000L, wall / 5 * 12 / 10 + 20_000_000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sleep", "spin"})
    void aCommandThatTakesTooLongIsKilled(String how) {
        try (Pod pod = on.pod()) {
            PodContainer container = sleeper(pod);

            assertThatThrownBy(() -> container.exec(1, "app", how))
                    .isInstanceOfSatisfying(
                            StatusRuntimeException.class,
                            error ->
                                    assertThat(error.getStatus().getCode())
                                            .isIn(
                                                    Status.Code.DEADLINE_EXCEEDED,
                                                    Status.Code.UNKNOWN))
                    .hasMessageContaining("timeout");
            assertThat(container.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    @Test
    void aMegabyteOfOutputArrivesWhole() {
        try (Pod pod = on.pod()) {
            assertThat(sleeper(pod).exec("app", "spam", "1048576").output()).hasSize(1 << 20);
        }
    }

    @Test
    void inputReachesTheCommand() throws IOException {
        try (Pod pod = on.pod();
                ContainerSession session = sleeper(pod).execInteractively("app", "cat")) {
            session.type("a line\n").awaitOutput("a line\n");
        }
    }

    @Test
    void theEndOfTheContainerEndsItsCommands() throws IOException {
        try (Pod pod = on.pod()) {
            PodContainer container = sleeper(pod);
            try (ContainerSession session = container.execInteractively("app", "sleep")) {
                session.awaitOutput("sleeping");

                container.stop(0);

                assertThat(session.awaitEnd().exitCode()).isEqualTo(137);
            }
            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }

    @Test
    void fiftyCommandsLeaveNothing() {
        try (Pod pod = on.pod()) {
            PodContainer container = sleeper(pod);
            for (int i = 0; i < 10; i++) {
                var _ = container.exec("app", "hello");
                var _ = container.exec("nothing");
            }
            TreeMap<String, Integer> before = Leftovers.of(on.node()).counts();

            for (int i = 0; i < 50; i++) {
                var _ = container.exec("app", "hello");
                var _ = container.exec("nothing");
            }

            Leftovers.of(on.node()).awaitAsBefore(before);
        }
    }
}
