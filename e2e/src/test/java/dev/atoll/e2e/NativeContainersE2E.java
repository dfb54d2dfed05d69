package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.ExecSyncResponse;
import dev.atoll.cri.v1.LinuxContainerConfig;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.LinuxContainerSecurityContext;
import dev.atoll.cri.v1.NamespaceMode;
import dev.atoll.cri.v1.NamespaceOption;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Containers that are not WebAssembly in pods that are, beside guests.
@EveryNode
class NativeContainersE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final List<String> NAMESPACES = List.of("net", "ipc", "uts", "pid", "mnt");

    private final TestNode on;

    NativeContainersE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void guestsAreWasm() {
        assumeFalse(TestNode.isNative(), "a native pod has no other containers");
    }

    /// Returns a native container of the same program that guests run.
    private ContainerRequest nativeOf(String... words) {
        return ContainerRequest.of(on.nativeImage()).args(words);
    }

    private ContainerRequest guest(String... words) {
        return on.guestOf("guest.p2.wasm", words);
    }

    private static String text(ExecSyncResponse response) {
        return response.getStdout().toString(StandardCharsets.UTF_8);
    }

    /// Returns what the links of a process' namespaces say, by their names.
    private Map<String, String> namespaces(String process) {
        Map<String, String> links = new TreeMap<>();
        for (String name : NAMESPACES) {
            links.put(
                    name,
                    on.node()
                            .exec("readlink", "/proc/" + process + "/ns/" + name)
                            .orThrow("read namespace " + name)
                            .strip());
        }
        return links;
    }

    private Map<String, String> namespaces(PodContainer container) {
        Map<String, String> links = new TreeMap<>();
        for (String name : NAMESPACES) {
            links.put(
                    name, text(container.exec("/guest", "links", "/proc/self/ns/" + name)).strip());
        }
        return links;
    }

    @Test
    void aNativeServerAndAGuestTalkOverLocalhostBothWays() {
        try (Pod pod = on.pod()) {
            pod.start(nativeOf("tcp-serve", "7101")).awaitOutput("listening");
            pod.start(guest("tcp-serve", "7102")).awaitOutput("listening");

            PodContainer guestAsks = pod.start(guest("tcp-connect", "127.0.0.1:7101", "from wasm"));
            PodContainer nativeAsks =
                    pod.start(nativeOf("tcp-connect", "127.0.0.1:7102", "from native"));

            assertThat(guestAsks.awaitExit().getExitCode())
                    .as(guestAsks.log().errors())
                    .isZero();
            assertThat(guestAsks.log().output()).isEqualTo("from wasm\n");
            assertThat(nativeAsks.awaitExit().getExitCode())
                    .as(nativeAsks.log().errors())
                    .isZero();
            assertThat(nativeAsks.log().output()).isEqualTo("from native\n");
        }
    }

    @Test
    void initContainersOfOneKindServeContainersOfTheOther() {
        try (Pod pod = on.pod()) {
            assertThat(pod.start(nativeOf("exit", "0")).awaitExit().getExitCode()).isZero();
            assertThat(pod.start(guest("exit", "0")).awaitExit().getExitCode()).isZero();

            PodContainer app = pod.start(nativeOf("exit", "7"));
            PodContainer again = pod.start(guest("exit", "8"));

            assertThat(app.awaitExit().getExitCode()).isEqualTo(7);
            assertThat(again.awaitExit().getExitCode()).isEqualTo(8);
        }
    }

    @Test
    void outputEndsExecAndStatisticsAreThoseOfTheNativeProcess() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            ExecSyncResponse hello = container.exec("/guest", "both", "out", "err");
            ExecSyncResponse failing = container.exec("/guest", "exit", "42");

            assertThat(text(hello)).isEqualTo("out\n");
            assertThat(hello.getStderr().toStringUtf8()).isEqualTo("err\n");
            assertThat(hello.getExitCode()).isZero();
            assertThat(failing.getExitCode()).isEqualTo(42);
            Awaitility.await("statistics")
                    .atMost(DEADLINE)
                    .until(() ->
                            container.stats().getMemory().getWorkingSetBytes().getValue() > 0
                                    && container.stats()
                                                    .getCpu()
                                                    .getUsageCoreNanoSeconds()
                                                    .getValue()
                                            > 0);
            assertThat(on.node().atoll("ps").orThrow("list")).contains("native");
            container.stop(0);
            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }

    @Test
    void resourcesOfANativeContainerChangeWhileItRuns() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            container.update(
                    LinuxContainerResources.newBuilder()
                            .setMemoryLimitInBytes(64 << 20)
                            .setCpuShares(512)
                            .build());

            assertThat(text(container.exec("/guest", "read", memoryLimit())).strip())
                    .isEqualTo(Integer.toString(64 << 20));
        }
    }

    /// Returns where a container finds its own limit.
    private String memoryLimit() {
        return Files.exists(on.node().path("/sys/fs/cgroup/cgroup.controllers"))
                ? "/sys/fs/cgroup/memory.max"
                : "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    }

    @Test
    void aNativeContainerThatTakesTooMuchMemoryIsKilledForIt() {
        try (Pod pod = on.pod()) {
            ContainerRequest hog =
                    nativeOf("hog", "256")
                            .with(config ->
                                    config.setLinux(
                                            LinuxContainerConfig.newBuilder()
                                                    .setResources(
                                                            LinuxContainerResources.newBuilder()
                                                                    .setMemoryLimitInBytes(
                                                                            32 << 20))));

            ContainerStatus status = pod.start(hog).awaitExit();

            assertThat(status.getExitCode()).isEqualTo(137);
            assertThat(status.getReason()).isEqualTo("OOMKilled");
        }
    }

    @Test
    void aProgramThatIsNotThereIsRefusedInRuncsWords() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.create(nativeOf().command("/no-such-program"));

            assertThatThrownBy(container::start).hasMessageContaining("no-such-program");
        }
    }

    @Test
    void nothingOfTheNodeIsSeenFromANativeContainer() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            PodContainer neighbour = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            Map<String, String> own = namespaces(container);
            Map<String, String> others = namespaces(neighbour);

            // The node's first process and the daemon are in the same namespaces.
            namespaces("1").forEach((name, link) -> assertThat(own).doesNotContainEntry(name, link));
            for (String shared : List.of("net", "ipc", "uts")) {
                assertThat(own.get(shared)).as(shared).isEqualTo(others.get(shared));
            }
            assertThat(own.get("pid")).isNotEqualTo(others.get("pid"));
            assertThat(text(container.exec("/guest", "read", "/proc/sys/kernel/hostname")).strip())
                    .isEqualTo(pod.name());
            assertThat(text(container.exec("/guest", "read", "/proc/net/dev")))
                    .contains("eth0")
                    .doesNotContain("cni0");
            assertThat(text(container.exec("/guest", "list", "/proc")))
                    .doesNotContainPattern("\\b" + on.node().daemons().getFirst().pid() + "\\b");
        }
    }

    @Test
    void anotherPodHasOtherNamespaces() {
        try (Pod pod = on.pod();
                Pod other = on.pod()) {
            Map<String, String> own =
                    namespaces(pod.start(nativeOf("sleep")).awaitOutput("sleeping"));
            Map<String, String> others =
                    namespaces(other.start(nativeOf("sleep")).awaitOutput("sleeping"));

            own.forEach((name, link) -> assertThat(others).doesNotContainEntry(name, link));
        }
    }

    @Test
    void aPodThatSharesProcessesSharesThoseOfItsNativeContainersOnly() {
        try (Pod pod = on.pod(TestNode.request().shareProcesses())) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            PodContainer neighbour = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            Map<String, String> own = namespaces(container);

            assertThat(own.get("pid"))
                    .isEqualTo(namespaces(neighbour).get("pid"))
                    .isNotEqualTo(namespaces("1").get("pid"));
            assertThat(text(container.exec("/guest", "read", "/proc/1/comm")).strip())
                    .isEqualTo("pause");
            assertThat(text(container.exec("/guest", "read", "/proc/1/status")))
                    .containsPattern("CapEff:\\s+0000000000000000")
                    .containsPattern("Uid:\\s+65535");
            neighbour.stop(0);
            assertThat(neighbour.awaitExit().getExitCode()).isEqualTo(137);
            assertThat(container.exec("/guest", "hello").getExitCode()).isZero();
        }
    }

    /// As `kubectl debug --target` asks for it.
    @Test
    void anEphemeralContainerThatTargetsAGuestRunsAndSeesNothingOfTheNode() {
        try (Pod pod = on.pod()) {
            PodContainer target = pod.start(guest("sleep")).awaitOutput("sleeping");
            ContainerRequest request =
                    nativeOf("sleep")
                            .with(config ->
                                    config.setLinux(
                                            LinuxContainerConfig.newBuilder()
                                                    .setSecurityContext(
                                                            LinuxContainerSecurityContext
                                                                    .newBuilder()
                                                                    .setNamespaceOptions(
                                                                            targeting(target)))));

            PodContainer debug = pod.start(request).awaitOutput("sleeping");

            assertThat(namespaces(debug).get("pid")).isNotEqualTo(namespaces("1").get("pid"));
        }
    }

    private static NamespaceOption targeting(PodContainer target) {
        return NamespaceOption.newBuilder()
                .setNetwork(NamespaceMode.POD)
                .setIpc(NamespaceMode.POD)
                .setPid(NamespaceMode.TARGET)
                .setTargetId(target.id())
                .build();
    }

    @Test
    void aPodInTheNodesNetworkSharesThatAndNoMore() {
        try (Pod pod = on.pod(TestNode.request().hostNetwork())) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            Map<String, String> own = namespaces(container);
            Map<String, String> node = namespaces("1");

            assertThat(own.get("net")).isEqualTo(node.get("net"));
            assertThat(own.get("uts")).isEqualTo(node.get("uts"));
            assertThat(own.get("ipc")).isNotEqualTo(node.get("ipc"));
            assertThat(own.get("pid")).isNotEqualTo(node.get("pid"));
        }
    }

    @Test
    void nothingIsLeftOfAMixedPod() {
        mixedPod();
        Leftovers leftovers = Leftovers.of(on.node());
        Map<String, Integer> before = leftovers.counts();

        for (int i = 0; i < 3; i++) {
            mixedPod();
        }

        Awaitility.await("all of the pods is gone")
                .atMost(DEADLINE)
                .untilAsserted(() -> assertThat(leftovers.counts()).isEqualTo(before));
    }

    private void mixedPod() {
        try (Pod pod = on.pod(TestNode.request().shareProcesses())) {
            pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            pod.start(guest("sleep")).awaitOutput("sleeping");
            pod.start(nativeOf("exit", "3")).awaitExit();
        }
    }

    @Test
    void aNativeContainerOutlivesARestartOfContainerd() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(nativeOf("tick", "50")).awaitOutput("tick 1\n");

            on.node().stopContainerd("KILL");
            on.node().startContainerd();

            String before = container.log().output();
            container.awaitLog(log -> log.output().length() > before.length() + 20);
            assertThat(container.exec("/guest", "hello").getExitCode()).isZero();
            container.stop(0);
            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }
}
