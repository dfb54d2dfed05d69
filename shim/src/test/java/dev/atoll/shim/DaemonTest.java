package dev.atoll.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.atoll.api.cgroups.v2.Metrics;
import dev.atoll.api.containerd.task.CloseIORequest;
import dev.atoll.api.containerd.task.ConnectRequest;
import dev.atoll.api.containerd.task.ConnectResponse;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.ExecProcessRequest;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.PidsRequest;
import dev.atoll.api.containerd.task.PidsResponse;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StartRequest;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.StatsRequest;
import dev.atoll.api.containerd.task.StatsResponse;
import dev.atoll.api.containerd.task.UpdateTaskRequest;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.api.containerd.task.WaitResponse;
import dev.atoll.api.containerd.types.Status;
import dev.atoll.api.v1.AtollGrpc;
import dev.atoll.api.v1.DeleteResponse;
import dev.atoll.api.v1.Guest;
import dev.atoll.api.v1.ListGuestsRequest;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.containerd.UnixSocketFactory;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.shim.testing.FakeWorkload;
import dev.atoll.shim.testing.FakeWorkloadFactory;
import dev.atoll.shim.testing.Fakes;
import dev.atoll.shim.ttrpc.TtrpcClient;
import dev.atoll.shim.ttrpc.TtrpcStatusException;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.okhttp.OkHttpChannelBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The daemon with fake workloads, driven over its ttrpc socket as containerd drives it.
final class DaemonTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String TASK = "containerd.task.v2.Task";
    private static final String LINUX_RESOURCES =
            "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

    @TempDir Path directory;

    private final FakeWorkloadFactory workloads = new FakeWorkloadFactory();
    private final List<AutoCloseable> open = new ArrayList<>();
    private DaemonFlags flags =
            new DaemonFlags(
                    Path.of("r"),
                    Path.of("s"),
                    Path.of("c"),
                    Path.of("t"),
                    Optional.empty(),
                    Optional.empty(),
                    false,
                    false);

    @BeforeEach
    void start() throws Exception {
        flags =
                DaemonFlags.parse(
                        List.of(
                                "--run-dir=" + directory.resolve("run"),
                                "--state-dir",
                                directory.resolve("state").toString(),
                                "--containerd",
                                directory.resolve("containerd.sock").toString()));
        open.add(Daemon.open(flags, this::backend));
    }

    private Backend backend(DaemonFlags unused) {
        return new Backend(
                Fakes.SPECS,
                Fakes.PODS,
                Fakes.PROGRAMS,
                workloads,
                "no-such-shim",
                () -> "{}",
                () -> {});
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable resource : open.reversed()) {
            resource.close();
        }
    }

    private TtrpcClient client(String namespace) throws IOException {
        TtrpcClient client = TtrpcClient.connect(directory.resolve("run/ttrpc.sock"), namespace);
        open.add(client);
        return client;
    }

    private static ByteString call(TtrpcClient client, String method, Message request)
            throws Exception {
        return client.call(TASK, method, request, LONG);
    }

    private static int code(TtrpcClient client, String method, Message request) {
        Throwable error = catchThrowable(() -> call(client, method, request));
        assertThat(error).isInstanceOf(TtrpcStatusException.class);
        return ((TtrpcStatusException) error).code();
    }

    private static CreateTaskRequest create(String id) {
        return create(id, "/bundle/" + id);
    }

    private static CreateTaskRequest create(String id, String bundle) {
        return CreateTaskRequest.newBuilder().setId(id).setBundle(bundle).setStdout("/out").build();
    }

    private static KillRequest kill(String id, int signal) {
        return KillRequest.newBuilder().setId(id).setSignal(signal).build();
    }

    private static StateResponse state(TtrpcClient client, String id) throws Exception {
        return StateResponse.parseFrom(
                call(client, "State", StateRequest.newBuilder().setId(id).build()));
    }

    @Test
    void aContainerLivesAsContainerdWantsIt() throws Exception {
        TtrpcClient client = client("k8s.io");
        int pid = Math.toIntExact(ProcessHandle.current().pid());

        CreateTaskResponse created =
                CreateTaskResponse.parseFrom(call(client, "Create", create("c1")));
        assertThat(created.getPid()).isEqualTo(pid);
        assertThat(state(client, "c1").getStatus()).isEqualTo(Status.CREATED);
        CompletableFuture<ByteString> first =
                client.send(TASK, "Wait", WaitRequest.newBuilder().setId("c1").build(), LONG);
        CompletableFuture<ByteString> second =
                client("k8s.io")
                        .send(TASK, "Wait", WaitRequest.newBuilder().setId("c1").build(), LONG);
        call(client, "Start", StartRequest.newBuilder().setId("c1").build());
        assertThat(state(client, "c1").getStatus()).isEqualTo(Status.RUNNING);
        assertThat(code(client, "Delete", DeleteRequest.newBuilder().setId("c1").build()))
                .isEqualTo(9);
        assertThat(code(client, "Start", StartRequest.newBuilder().setId("c1").build()))
                .isEqualTo(9);
        call(client, "CloseIO", CloseIORequest.newBuilder().setId("c1").setStdin(true).build());
        assertThat(workloads.of(new ContainerKey("k8s.io", "c1")).isStdinClosed()).isTrue();
        StatsResponse stats =
                StatsResponse.parseFrom(
                        call(client, "Stats", StatsRequest.newBuilder().setId("c1").build()));
        assertThat(stats.getStats().getTypeUrl()).isEqualTo("io.containerd.cgroups.v2.Metrics");
        Metrics metrics = Metrics.parseFrom(stats.getStats().getValue());
        assertThat(metrics.getCpu().getUsageUsec()).isEqualTo(5_000);
        assertThat(metrics.getMemory().getUsage()).isEqualTo(65_536);
        assertThat(metrics.getMemory().getUsageLimit()).isEqualTo(262_144);
        assertThat(metrics.getCpu().getNrPeriods()).isEqualTo(19);
        assertThat(metrics.getCpu().getNrThrottled()).isEqualTo(20);
        assertThat(metrics.getCpu().getThrottledUsec()).isEqualTo(21);
        assertThat(metrics.getMemoryEvents().getOomKill()).isEqualTo(22);

        call(client, "Kill", kill("c1", 15));

        assertThat(WaitResponse.parseFrom(first.get(20, TimeUnit.SECONDS)).getExitStatus())
                .isEqualTo(143);
        assertThat(WaitResponse.parseFrom(second.get(20, TimeUnit.SECONDS)).getExitStatus())
                .isEqualTo(143);
        StateResponse stopped = state(client, "c1");
        assertThat(stopped.getStatus()).isEqualTo(Status.STOPPED);
        assertThat(stopped.getExitStatus()).isEqualTo(143);
        assertThat(stopped.getStdout()).isEqualTo("/out");
        assertThat(code(client, "Kill", kill("c1", 9))).isEqualTo(5);
        PidsResponse pids =
                PidsResponse.parseFrom(
                        call(client, "Pids", PidsRequest.newBuilder().setId("c1").build()));
        assertThat(pids.getProcessesList()).hasSize(1);
        call(client, "Delete", DeleteRequest.newBuilder().setId("c1").build());
        call(client, "Shutdown", ShutdownRequest.newBuilder().setId("c1").build());
        assertThat(code(client, "State", StateRequest.newBuilder().setId("c1").build()))
                .isEqualTo(5);
        ConnectResponse connect =
                ConnectResponse.parseFrom(
                        call(client, "Connect", ConnectRequest.newBuilder().setId("c1").build()));
        assertThat(connect.getShimPid()).isEqualTo(pid);
        assertThat(connect.getTaskPid()).isZero();
        call(client, "Create", create("c1"));
    }

    @Test
    void idsAreKeyedByNamespaceAndASecondCreateIsRefused() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("c1"));
        call(client("default"), "Create", create("c1"));

        assertThat(code(client, "Create", create("c1"))).isEqualTo(6);
        assertThat(code(client, "Create", create(""))).isEqualTo(3);
    }

    /// As containerd 1.7 does for `ctr`.
    @Test
    void aCallerThatNamesNoNamespaceIsUnderstoodByBundleAndId() throws Exception {
        TtrpcClient silent = client("");

        call(silent, "Create", create("c1", "/run/default/c1"));
        call(silent, "Start", StartRequest.newBuilder().setId("c1").build());

        assertThat(state(silent, "c1").getStatus()).isEqualTo(Status.RUNNING);
        assertThat(state(client("default"), "c1").getStatus()).isEqualTo(Status.RUNNING);
        assertThat(code(silent, "Create", create("c2", "c2"))).isEqualTo(3);
    }

    @Test
    void aConnectionThatNamesNoNamespaceMeansTheOneItCreatedIn() throws Exception {
        TtrpcClient first = client("");
        TtrpcClient second = client("");
        call(first, "Create", create("c1", "/run/default/c1"));
        call(second, "Create", create("c1", "/run/moby/c1"));

        call(first, "Start", StartRequest.newBuilder().setId("c1").build());

        assertThat(state(client("default"), "c1").getStatus()).isEqualTo(Status.RUNNING);
        assertThat(state(client("moby"), "c1").getStatus()).isEqualTo(Status.CREATED);
    }

    @Test
    void anIdThatTwoNamespacesHaveIsRefusedWithoutANamespace() throws Exception {
        call(client("k8s.io"), "Create", create("c1"));
        call(client("default"), "Create", create("c1"));

        assertThat(code(client(""), "State", StateRequest.newBuilder().setId("c1").build()))
                .isEqualTo(3);
    }

    /// As kubelet resizes a pod: containerd's Any holds JSON.
    @Test
    void anUpdateReachesTheWorkloadAndBadOnesAreNamed() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("c1"));

        call(
                client,
                "Update",
                update(
                        LINUX_RESOURCES,
                        """
                        {"devices":[{"allow":false,"access":"rwm"}],\
                        "memory":{"limit":134217728,"swap":134217728},\
                        "cpu":{"shares":61,"quota":20000,"period":100000}}\
                        """));

        assertThat(workloads.of(new ContainerKey("k8s.io", "c1")).updates)
                .containsExactly(
                        new Resources(
                                Optional.of(134_217_728L),
                                Optional.of(61L),
                                Optional.of(20_000L),
                                Optional.of(100_000L),
                                Optional.empty(),
                                false));
        assertThat(code(client, "Update", update("windows", "{}"))).isEqualTo(3);
        assertThat(code(client, "Update", update(LINUX_RESOURCES, "{\"memory\":7}"))).isEqualTo(3);
        call(client, "Kill", kill("c1", 9));
        assertThat(code(client, "Update", update(LINUX_RESOURCES, "{}"))).isEqualTo(9);
    }

    private static UpdateTaskRequest update(String type, String json) {
        return UpdateTaskRequest.newBuilder()
                .setId("c1")
                .setResources(
                        Any.newBuilder().setTypeUrl(type).setValue(ByteString.copyFromUtf8(json)))
                .build();
    }

    @Test
    void whatIsNotSupportedSaysSo() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("c1"));

        for (String method : List.of("Pause", "Resume", "Checkpoint")) {
            assertThat(code(client, method, ExecProcessRequest.newBuilder().setId("c1").build()))
                    .as(method)
                    .isEqualTo(12);
        }
        assertThat(
                        code(
                                client,
                                "State",
                                StateRequest.newBuilder().setId("c1").setExecId("e").build()))
                .isEqualTo(5);
    }

    @Test
    void aPauseIsMadeWithWhatCriWroteDownAboutItsPod() throws Exception {
        call(client("k8s.io"), "Create", create("pause1"));

        assertThat(workloads.podOf(new ContainerKey("k8s.io", "pause1")))
                .isEqualTo(new CriPod(Optional.of("wasmtime"), Map.of()));
    }

    @Test
    void aStartThatFailsIsToldAndItsContainerIsDeletedCleanly() throws Exception {
        TtrpcClient client = client("k8s.io");
        workloads.setStart(FakeWorkload.Start.FAILS);
        call(client, "Create", create("c1"));

        assertThatThrownBy(
                        () -> call(client, "Start", StartRequest.newBuilder().setId("c1").build()))
                .hasMessage("status 13: no slot");
        assertThat(state(client, "c1").getStatus()).isEqualTo(Status.STOPPED);
        assertThat(state(client, "c1").getExitStatus()).isEqualTo(128);
        call(client, "Delete", DeleteRequest.newBuilder().setId("c1").build());

        assertThat(workloads.of(new ContainerKey("k8s.io", "c1")).isClosed()).isTrue();
        workloads.setStart(FakeWorkload.Start.RUNS);
        call(client, "Create", create("c1"));
        call(client, "Start", StartRequest.newBuilder().setId("c1").build());
    }

    @Test
    void theCommandLineIsToldWhatAGuestDoesOnTheNetwork() throws Exception {
        call(client("k8s.io"), "Create", create("c1"));
        ManagedChannel channel =
                OkHttpChannelBuilder.forTarget(
                                "dns:///127.0.0.1:1", InsecureChannelCredentials.create())
                        .socketFactory(new UnixSocketFactory(directory.resolve("run/api.sock")))
                        .build();
        try {
            List<Guest> guests =
                    AtollGrpc.newBlockingStub(channel)
                            .withWaitForReady()
                            .withDeadlineAfter(LONG)
                            .listGuests(ListGuestsRequest.getDefaultInstance())
                            .getGuestsList();

            assertThat(guests).hasSize(1);
            Guest guest = guests.getFirst();
            assertThat(guest.getRole()).isEqualTo("server");
            assertThat(
                            List.of(
                                    guest.getRequests(),
                                    guest.getRequestsTrapped(),
                                    guest.getRequestsRefused(),
                                    guest.getRequestsInProgress(),
                                    guest.getConnections(),
                                    guest.getInstances(),
                                    guest.getOpenSockets(),
                                    guest.getPolicyRefusals()))
                    .containsExactly(11L, 12L, 13L, 14L, 15L, 16L, 17L, 18L);
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void theConfigurationIsNamedByFlag() throws Exception {
        assertThat(flags.config()).isEmpty();
        assertThat(DaemonFlags.parse(List.of("--config", "/etc/x.toml")).config())
                .contains(Path.of("/etc/x.toml"));
        assertThatThrownBy(() -> DaemonFlags.parse(List.of("--config=")))
                .hasMessage("flag --config has an empty value: expected a path");
    }

    @Test
    void aPauseHasNoMetrics() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("pause1"));
        call(client, "Start", StartRequest.newBuilder().setId("pause1").build());

        assertThat(code(client, "Stats", StatsRequest.newBuilder().setId("pause1").build()))
                .isEqualTo(5);
    }

    @Test
    void aFailedCreateTellsWhyAndLeavesNothing() throws Exception {
        TtrpcClient client = client("k8s.io");
        workloads.setBeforeGuest(() -> {
            throw new InvalidImage("image has no wasm program");
        });

        assertThatThrownBy(() -> call(client, "Create", create("c1")))
                .hasMessage("status 3: image has no wasm program");

        assertThat(code(client, "Delete", DeleteRequest.newBuilder().setId("c1").build()))
                .isEqualTo(5);
    }

    @Test
    void aSlowCreateBlocksNeitherStateNorKill() throws Exception {
        TtrpcClient client = client("k8s.io");
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        workloads.setBeforeGuest(() -> {
            entered.countDown();
            try {
                assertThat(leave.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        CompletableFuture<ByteString> creation = client.send(TASK, "Create", create("c1"), LONG);
        assertThat(entered.await(20, TimeUnit.SECONDS)).isTrue();

        assertThat(state(client, "c1").getStatus()).isEqualTo(Status.CREATED);
        call(client, "Kill", kill("c1", 9));
        assertThat(state(client, "c1").getExitStatus()).isEqualTo(137);
        call(client, "Delete", DeleteRequest.newBuilder().setId("c1").build());
        leave.countDown();

        assertThatThrownBy(() -> creation.get(20, TimeUnit.SECONDS)).hasMessageContaining("c1");
        assertThat(workloads.of(new ContainerKey("k8s.io", "c1")).isClosed()).isTrue();
    }

    @Test
    void guestsSurviveTheirConnectionAndEndWhenTheLauncherDeletesThem() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("c1"));
        call(client, "Start", StartRequest.newBuilder().setId("c1").build());
        client.close();
        TtrpcClient launcher = client("");

        assertThat(state(client("k8s.io"), "c1").getStatus()).isEqualTo(Status.RUNNING);
        assertThat(forget(launcher, "c1").getExitStatus()).isEqualTo(137);
        assertThat(workloads.of(new ContainerKey("k8s.io", "c1")).isClosed()).isTrue();
        assertThat(forget(launcher, "c1").getExitStatus()).isEqualTo(137);
    }

    @Test
    void theLauncherIsToldTheTrueExitStatusAndTheAddress() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("c1"));
        call(client, "Start", StartRequest.newBuilder().setId("c1").build());
        workloads.of(new ContainerKey("k8s.io", "c1")).end(new WorkloadEnd.Exited(3));

        assertThat(forget(client, "c1").getExitStatus()).isEqualTo(3);
        dev.atoll.api.v1.StartResponse started =
                dev.atoll.api.v1.StartResponse.parseFrom(
                        client.call(
                                "atoll.v1.Launcher",
                                "Start",
                                dev.atoll.api.v1.StartRequest.newBuilder()
                                        .setNamespace("k8s.io")
                                        .setId("c9")
                                        .build(),
                                LONG));
        assertThat(started.getAddress()).isEqualTo("unix://" + directory.resolve("run/ttrpc.sock"));
    }

    private static DeleteResponse forget(TtrpcClient client, String id) throws Exception {
        return DeleteResponse.parseFrom(
                client.call(
                        "atoll.v1.Launcher",
                        "Delete",
                        dev.atoll.api.v1.DeleteRequest.newBuilder()
                                .setNamespace("k8s.io")
                                .setId(id)
                                .build(),
                        LONG));
    }

    @Test
    void twoDaemonsNeverShareARunDirectory() {
        assertThatThrownBy(() -> Daemon.open(flags, this::backend))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another atolld holds");
    }

    @Test
    void closingEndsGuestsAndRemovesTheSockets() throws Exception {
        TtrpcClient client = client("k8s.io");
        call(client, "Create", create("c1"));
        call(client, "Start", StartRequest.newBuilder().setId("c1").build());

        stop();
        open.clear();

        assertThat(workloads.of(new ContainerKey("k8s.io", "c1")).isClosed()).isTrue();
        assertThat(directory.resolve("run")).isDirectoryNotContaining("glob:**.{sock,pid}");
    }

    @Test
    void flagsAreCheckedBeforeAnythingIsOpened() {
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        PrintStream err = new PrintStream(errors, true, UTF_8);

        int status = DaemonProcess.run(List.of("--runn-dir", "x"), this::backend, System.out, err);

        assertThat(status).isEqualTo(2);
        assertThat(errors.toString(UTF_8))
                .isEqualTo("atolld: unknown flag --runn-dir: see --help\n");
    }
}
