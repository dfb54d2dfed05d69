package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Containers while containerd or the daemon goes away.
@EveryNode
class RestartE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private final TestNode on;

    RestartE2E(TestNode on) {
        this.on = on;
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "KILL"})
    void runningContainersOutliveContainerd(String signal) {
        try (Pod pod = on.pod()) {
            PodContainer ticking = pod.start(on.guest("tick", "20")).awaitOutput("tick 3\n");
            PodContainer ended = pod.start(on.guest("exit", "3"));
            ended.awaitExit();

            on.node().stopContainerd(signal);
            on.node().startContainerd();

            assertThat(ticking.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(ended.status().getExitCode()).isEqualTo(3);
            assertThat(pod.status().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
            int before = lines(ticking);
            List<String> seen =
                    ticking.awaitLog(log -> log.output().lines().count() > before + 5)
                            .output()
                            .lines()
                            .toList();
            assertThat(seen).isEqualTo(ticks(seen.size()));
            ticking.stop(0);
            assertThat(ticking.awaitExit().getExitCode()).isEqualTo(137);
            PodContainer another = pod.start(on.guest("echo", "after"));
            another.awaitExit();
            assertThat(another.log().output()).isEqualTo("after\n");
        }
    }

    private static int lines(PodContainer container) {
        return (int) container.log().output().lines().count();
    }

    private static List<String> ticks(int count) {
        return IntStream.range(0, count).mapToObj(number -> "tick " + number).toList();
    }

    @Test
    void serversServeWhileContainerdIsAway() throws IOException {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
        try (WebPod web = WebPod.run(on);
                HttpConnection kept = web.connect()) {
            // (containerd is asked for the address as long as it is there)
            String address = web.pod().address();
            assertThat(kept.exchange(HttpConnection.get("/")).status()).isEqualTo(200);

            on.node().stopContainerd("KILL");
            assertThat(kept.exchange(HttpConnection.get("/log?text=away")).status()).isEqualTo(200);
            try (var fresh = HttpConnection.open(on.node().network(), address, web.port())) {
                assertThat(fresh.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
            }
            on.node().startContainerd();

            assertThat(kept.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
            web.container().awaitOutput("away\n");
            web.container().stop(30);
            assertThat(web.container().awaitExit().getExitCode()).isZero();
        }
    }

    @Test
    void anExitWhileContainerdIsAwayIsNotLost() {
        assumeFalse(
                TestNode.isNative(),
                "runc's shim shows no process then, and containerd forgets the exit code");
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("sleep", "1500"));

            on.node().stopContainerd("KILL");
            Awaitility.await().pollDelay(Duration.ofSeconds(2)).atMost(DEADLINE).until(() -> true);
            on.node().startContainerd();

            assertThat(container.awaitExit().getExitCode()).isZero();
            assertThat(container.log().output()).isEqualTo("slept\n");
        }
    }

    @Test
    void aDaemonThatDiesTakesItsContainersAndNothingIsLeftOfThem() {
        assumeFalse(TestNode.isNative(), "a native pod has no daemon");
        try (Pod pod = on.pod();
                Pod another = on.pod()) {
            PodContainer container = pod.start(on.guest("sleep")).awaitOutput("sleeping");
            PodContainer neighbour = another.start(on.guest("spin")).awaitOutput("spinning");
            NodeProcess daemon = onlyDaemon();

            daemon.kill();

            assertThat(container.awaitExit().getExitCode()).isEqualTo(255);
            assertThat(neighbour.awaitExit().getExitCode()).isEqualTo(255);
            Awaitility.await()
                    .atMost(DEADLINE)
                    .until(() -> pod.status().getState() == PodSandboxState.SANDBOX_NOTREADY);
            assertThat(Leftovers.of(on.node()).bundles()).isZero();
            assertThat(Leftovers.of(on.node()).mounts("io.containerd.runtime.v2.task")).isZero();
        }
    }

    @Test
    void aNewPodStartsADaemonAfterOneDied() {
        assumeFalse(TestNode.isNative(), "a native pod has no daemon");
        try (Pod before = on.pod()) {
            PodContainer killed = before.start(on.guest("sleep")).awaitOutput("sleeping");
            NodeProcess daemon = onlyDaemon();
            daemon.kill();
            killed.awaitExit();

            try (Pod pod = on.pod()) {
                PodContainer container = pod.start(on.guest("echo", "served"));
                container.awaitExit();

                assertThat(container.log().output()).isEqualTo("served\n");
                assertThat(onlyDaemon().pid()).isNotEqualTo(daemon.pid());
            }
        }
    }

    private NodeProcess onlyDaemon() {
        List<NodeProcess> daemons = on.node().daemons();
        assertThat(daemons).hasSize(1);
        return daemons.getFirst();
    }
}
