package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.LinuxContainerConfig;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.LinuxContainerSecurityContext;
import dev.atoll.cri.v1.NamespaceMode;
import dev.atoll.cri.v1.NamespaceOption;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.ContainerSession;
import dev.atoll.e2e.pod.ExecResult;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
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

    private static String output(PodContainer container, String... words) {
        ExecResult result = container.exec(words);
        assertThat(result.exitCode()).as(result.errors()).isZero();
        return result.output().strip();
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
            links.put(name, output(container, "/guest", "links", "/proc/self/ns/" + name));
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

            assertThat(guestAsks.awaitExit().getExitCode()).as(guestAsks.log().errors()).isZero();
            assertThat(guestAsks.log().output()).isEqualTo("from wasm\n");
            assertThat(nativeAsks.awaitExit().getExitCode()).as(nativeAsks.log().errors()).isZero();
            assertThat(nativeAsks.log().output()).isEqualTo("from native\n");
        }
    }

    /// An ordinary server with its libraries, as an image of nginx would bring them.
    @Test
    void aGuestAsksANativeHttpServerOverLocalhostAndTheNodeAsksBoth() throws IOException {
        String image =
                on.images()
                        .push(
                                RootfsImage.of(
                                        "/native-http",
                                        Checkout.guest("native-http"),
                                        "/native-http",
                                        "0.0.0.0:7103"));
        try (WebPod web = WebPod.run(on)) {
            PodContainer server =
                    web.pod()
                            .start(
                                    ContainerRequest.of(image)
                                            .mount("/usr/lib", "/lib", true)
                                            .mount("/usr/lib64", "/lib64", true));
            awaitHttp(web);

            assertThat(web.get("/fetch?url=http://127.0.0.1:7103/").body())
                    .isEqualTo("200\nHello world\n");
            assertThat(web.get("/").body()).isEqualTo("Hello world\n");
            server.stop(0);
            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    private void awaitHttp(WebPod web) {
        Awaitility.await("the native server")
                .atMost(DEADLINE)
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> {
                    try (HttpConnection connection =
                            HttpConnection.open(on.node().network(), web.pod().address(), 7103)) {
                        return connection.exchange(HttpConnection.get("/")).status() == 200;
                    }
                });
    }

    @Test
    void inputAndTerminalsOfANativeContainerAreItsOwn() throws IOException {
        try (Pod pod = on.pod()) {
            PodContainer reading = pod.start(nativeOf("cat").stdin());
            try (ContainerSession session = reading.attach()) {
                session.type("hello\n").awaitOutput("hello\n");
            }
            assertThat(reading.awaitExit().getExitCode()).isZero();

            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            try (ContainerSession session = container.execAtTerminal("/guest", "cat")) {
                session.resize(80, 24).type("hi\r").awaitOutput("hi\r\nhi\r\n");
                session.type("\u0004");
                assertThat(session.awaitEnd().exitCode()).isZero();
            }
            try (ContainerSession session = container.execInteractively("/guest", "cat")) {
                session.type("piped\n").awaitOutput("piped\n");
            }
        }
    }

    @Test
    void initContainersOfOneKindServeContainersOfTheOther() {
        try (Pod pod = on.pod()) {
            assertThat(pod.start(nativeOf("exit", "0")).awaitExit().getExitCode()).isZero();
            assertThat(pod.start(on.guest("exit", "0")).awaitExit().getExitCode()).isZero();

            PodContainer app = pod.start(nativeOf("exit", "7"));
            PodContainer again = pod.start(on.guest("exit", "8"));

            assertThat(app.awaitExit().getExitCode()).isEqualTo(7);
            assertThat(again.awaitExit().getExitCode()).isEqualTo(8);
        }
    }

    @Test
    void outputEndsExecAndStatisticsAreThoseOfTheNativeProcess() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            assertThat(container.exec("/guest", "both", "out", "err"))
                    .isEqualTo(new ExecResult(0, "out\n", "err\n"));
            assertThat(container.exec("/guest", "exit", "42").exitCode()).isEqualTo(42);
            Awaitility.await("statistics")
                    .atMost(DEADLINE)
                    .until(() ->
                            container.stats().getMemory().getWorkingSetBytes().getValue() > 0
                                    && container
                                                    .stats()
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

            assertThat(output(container, "/guest", "read", memoryLimit()))
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
            namespaces("1")
                    .forEach((name, link) -> assertThat(own).doesNotContainEntry(name, link));
            for (String shared : List.of("net", "ipc", "uts")) {
                assertThat(own.get(shared)).as(shared).isEqualTo(others.get(shared));
            }
            assertThat(own.get("pid")).isNotEqualTo(others.get("pid"));
            assertThat(output(container, "/guest", "read", "/proc/sys/kernel/hostname"))
                    .isEqualTo(pod.name());
            assertThat(output(container, "/guest", "read", "/proc/net/dev"))
                    .contains("eth0")
                    .doesNotContain("cni0");
            assertThat(output(container, "/guest", "read", "/proc/1/comm")).isEqualTo("guest");
            // Itself and the command that asks.
            assertThat(output(container, "/guest", "list", "/proc").split(" "))
                    .filteredOn(entry -> entry.matches("[0-9]+"))
                    .hasSize(2);
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
            assertThat(output(container, "/guest", "read", "/proc/1/comm")).isEqualTo("pause");
            assertThat(output(container, "/guest", "read", "/proc/1/status"))
                    .containsPattern("CapEff:\\s+0000000000000000")
                    .containsPattern("Uid:\\s+65535");
            neighbour.stop(0);
            assertThat(neighbour.awaitExit().getExitCode()).isEqualTo(137);
            assertThat(container.exec("/guest", "hello").exitCode()).isZero();
        }
    }

    /// As `kubectl debug --target` asks for it.
    @Test
    void anEphemeralContainerThatTargetsAGuestRunsAndSeesNothingOfTheNode() {
        try (Pod pod = on.pod()) {
            PodContainer target = pod.start(guest("sleep")).awaitOutput("sleeping");
            PodContainer debug =
                    pod.start(targeted(nativeOf("sleep"), target)).awaitOutput("sleeping");

            assertThat(namespaces(debug).get("pid")).isNotEqualTo(namespaces("1").get("pid"));
        }
    }

    @Test
    void anEphemeralContainerThatTargetsANativeOneSeesItsProcesses() {
        try (Pod pod = on.pod()) {
            PodContainer target = pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            PodContainer debug =
                    pod.start(targeted(nativeOf("sleep"), target)).awaitOutput("sleeping");

            assertThat(namespaces(debug).get("pid")).isEqualTo(namespaces(target).get("pid"));
        }
    }

    @Test
    void sharedMemoryIsThePodsAndNotTheNodes() {
        try (Pod pod = on.pod();
                Pod other = on.pod()) {
            PodContainer writer = pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            PodContainer reader = pod.start(nativeOf("sleep")).awaitOutput("sleeping");
            PodContainer stranger = other.start(nativeOf("sleep")).awaitOutput("sleeping");

            var _ = writer.exec("/guest", "write", "/dev/shm/note", "shared");

            assertThat(output(reader, "/guest", "read", "/dev/shm/note")).isEqualTo("shared");
            assertThat(output(stranger, "/guest", "list", "/dev/shm")).isEqualTo("/dev/shm:");
            assertThat(on.node().path("/dev/shm/note")).doesNotExist();
        }
    }

    private static ContainerRequest targeted(ContainerRequest request, PodContainer target) {
        return request.with(config ->
                config.setLinux(
                        LinuxContainerConfig.newBuilder()
                                .setSecurityContext(
                                        LinuxContainerSecurityContext.newBuilder()
                                                .setNamespaceOptions(targeting(target)))));
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
        // The daemon's pools have then the threads that they keep.
        mixedPods(3);
        Leftovers leftovers = Leftovers.of(on.node());
        Map<String, Integer> before = leftovers.counts();

        mixedPods(3);

        leftovers.awaitAsBefore(before);
    }

    private void mixedPods(int count) {
        for (int i = 0; i < count; i++) {
            try (Pod pod = on.pod(TestNode.request().shareProcesses())) {
                pod.start(nativeOf("sleep")).awaitOutput("sleeping");
                pod.start(guest("sleep")).awaitOutput("sleeping");
                pod.start(nativeOf("exit", "3")).awaitExit();
            }
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
            assertThat(container.exec("/guest", "hello").exitCode()).isZero();
            container.stop(0);
            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }

    @Test
    void aNativeContainerEndsWithItsShimAndItsPodGoesOn() {
        try (Pod pod = on.pod()) {
            PodContainer guest = pod.start(guest("sleep")).awaitOutput("sleeping");
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            shimOf(container).kill();

            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
            container.remove();
            assertThat(guest.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(pod.start(nativeOf("exit", "5")).awaitExit().getExitCode()).isEqualTo(5);
        }
    }

    private NodeProcess shimOf(PodContainer container) {
        return on.node().processes().stream()
                .filter(process ->
                        process.words().contains(container.id())
                                && process.words().getFirst().contains("shim-runc"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aDaemonThatDiesTakesNativeContainersAndTheirShims() {
        try (Pod pod = on.pod(TestNode.request().shareProcesses())) {
            PodContainer container = pod.start(nativeOf("sleep")).awaitOutput("sleeping");

            on.node().daemons().getFirst().kill();

            assertThat(container.awaitExit().getExitCode()).isNotZero();
            Awaitility.await("no process is left")
                    .atMost(DEADLINE)
                    .untilAsserted(() ->
                            assertThat(on.node().processes())
                                    .extracting(NodeProcess::name)
                                    .doesNotContain("guest", "pause", "containerd-shim"));
            assertThat(on.node().path("/run/atoll/native/k8s.io")).isEmptyDirectory();
            assertThat(Leftovers.of(on.node()).mounts("/run/atoll/native")).isZero();
        }
    }
}
