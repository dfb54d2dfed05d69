package dev.atoll.shim.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.ExecProcessRequest;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.PidsRequest;
import dev.atoll.api.containerd.task.PidsResponse;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.api.containerd.task.WaitResponse;
import dev.atoll.api.containerd.types.Mount;
import dev.atoll.api.containerd.types.Status;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpecReader;
import dev.atoll.sandbox.NativeProgram;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.task.TaskCreator;
import dev.atoll.shim.task.TaskEndpoints;
import dev.atoll.shim.task.TaskService;
import dev.atoll.shim.task.TaskTable;
import dev.atoll.shim.testing.FakeWorkloadFactory;
import dev.atoll.shim.testing.Fakes;
import dev.atoll.shim.testing.RecordingEvents;
import dev.atoll.shim.ttrpc.TtrpcClient;
import dev.atoll.shim.ttrpc.TtrpcServer;
import dev.atoll.shim.ttrpc.TtrpcStatusException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Native containers over a shim of our own, driven over ttrpc as containerd drives them.
final class RelaysTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String TASK = "containerd.task.v2.Task";
    private static final ContainerKey KEY = new ContainerKey("k8s.io", "c1");

    private static final String PAUSE =
            """
            {"ociVersion":"1.2.0","root":{"path":"rootfs"},"hostname":"web-1",
             "process":{"args":["/pause"],"cwd":"/"},
             "annotations":{"io.kubernetes.cri.container-type":"sandbox"},
             "linux":{"namespaces":[{"type":"pid"},{"type":"ipc"},{"type":"uts"},
               {"type":"network","path":"/run/netns/pod"}]}}
            """;

    private static final String CONTAINER =
            """
            {"ociVersion":"1.2.0","root":{"path":"rootfs"},"hooks":{"odd":[1.50,{"x":null}]},
             "process":{"args":["/server"],"cwd":"/"},
             "annotations":{"io.kubernetes.cri.container-type":"container",
               "io.kubernetes.cri.sandbox-id":"pause"},
             "linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"},
               "namespaces":[{"type":"pid"},{"type":"network","path":"/proc/1/ns/net"}]}}
            """;

    @TempDir Path directory;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final RecordingEvents events = new RecordingEvents();
    private final FakePodNamespaces namespaces = new FakePodNamespaces();
    private final FakeWorkloadFactory workloads = new FakeWorkloadFactory();
    private FakeRuncShim shim = new FakeRuncShim(Path.of("/"));
    private Relays relays = relays(new TaskTable(), Path.of("/"));

    private Relays relays(TaskTable tasks, Path bundles) {
        return new Relays(
                tasks,
                (bundle, key) -> RuntimeSpecReader.read(bundle, key.id()),
                events,
                InstantSource.system(),
                bundles,
                shim,
                (_, _) -> true,
                _ -> namespaces);
    }

    @BeforeEach
    void start() throws Exception {
        shim = new FakeRuncShim(directory.resolve("s"));
        open.add(shim);
        TaskTable tasks = new TaskTable();
        relays = relays(tasks, directory.resolve("native"));
        open.add(relays);
        workloads.setBeforeGuest(() -> {
            throw new NativeProgram("/server is an ELF executable");
        });
        TaskService service =
                new TaskService(
                        tasks,
                        new TaskCreator(
                                (bundle, key) -> RuntimeSpecReader.read(bundle, key.id()),
                                Fakes.PODS,
                                Fakes.PROGRAMS,
                                workloads,
                                InstantSource.system()),
                        events,
                        InstantSource.system(),
                        1);
        List<RpcService> services = new RelayRouter(relays).before(TaskEndpoints.of(service));
        open.add(
                TtrpcServer.start(
                        directory.resolve("front"), PeerCheck.ownUserAndRoot(), services));
        create("pause", PAUSE);
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable resource : open.reversed()) {
            resource.close();
        }
    }

    private TtrpcClient client() throws IOException {
        TtrpcClient client = TtrpcClient.connect(directory.resolve("front"), "k8s.io");
        open.add(client);
        return client;
    }

    private ByteString call(String method, Message request) throws Exception {
        return client().call(TASK, method, request, LONG);
    }

    private TtrpcStatusException refusal(String method, Message request) {
        return catchThrowableOfType(TtrpcStatusException.class, () -> call(method, request));
    }

    private Path bundle(String id) {
        return directory.resolve("bundles").resolve(id);
    }

    private Path nativeBundle() {
        return directory.resolve("native/k8s.io/c1");
    }

    private CreateTaskRequest request(String id) {
        return CreateTaskRequest.newBuilder()
                .setId(id)
                .setBundle(bundle(id).toString())
                .addRootfs(Mount.newBuilder().setType("overlay").setSource("overlay"))
                .setStdout("/out")
                .setTerminal(true)
                .setOptions(Any.newBuilder().setTypeUrl("containerd.runc.v1.Options"))
                .build();
    }

    private CreateTaskResponse create(String id, String config) throws Exception {
        Files.createDirectories(bundle(id));
        Files.writeString(bundle(id).resolve("config.json"), config);
        return CreateTaskResponse.parseFrom(call("Create", request(id)));
    }

    private CreateTaskResponse create() throws Exception {
        return create("c1", CONTAINER);
    }

    private static StateRequest state() {
        return StateRequest.newBuilder().setId("c1").build();
    }

    private static DeleteRequest delete() {
        return DeleteRequest.newBuilder().setId("c1").build();
    }

    @Test
    void aNativeContainerIsHandedOnInABundleOfItsOwn() throws Exception {
        CreateTaskResponse created = create();

        assertThat(created.getPid()).isEqualTo(FakeRuncShim.PID);
        assertThat(shim.requests.getFirst())
                .isEqualTo(request("c1").toBuilder().setBundle(nativeBundle().toString()).build());
        assertThat(Files.readString(bundle("c1").resolve("config.json"))).isEqualTo(CONTAINER);
        assertThat(Files.readString(nativeBundle().resolve("config.json")))
                .contains("\"hooks\":{\"odd\":[1.50,{\"x\":null}]}")
                .contains("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"}")
                .contains("{\"type\":\"network\",\"path\":\"/run/netns/pod\"}")
                .contains("{\"type\":\"ipc\",\"path\":\"/pod/ipc\"}")
                .contains("{\"type\":\"uts\",\"path\":\"/pod/uts\"}")
                .contains("{\"type\":\"pid\"}")
                .contains("\"io.containerd.runc.v2.group\":\"c1\"")
                .doesNotContain("/proc/1/ns");
        assertThat(nativeBundle().resolve("rootfs")).isEmptyDirectory();
        assertThat(Files.readSymbolicLink(nativeBundle().resolve("log")))
                .isEqualTo(bundle("c1").resolve("log"));
        assertThat(Files.readAllLines(nativeBundle().resolve("relay")))
                .containsExactly(
                        "containerd.task.v3.Task",
                        directory.resolve("s").toString(),
                        "/bin/fake-shim");
        assertThat(events.topics()).containsExactly("/tasks/create");
        assertThat(relays.list()).hasSize(1);
        assertThat(refusal("Create", request("c1")).code()).isEqualTo(6);
    }

    @Test
    void callsAndAnswersPassAsTheyAre() throws Exception {
        create();
        ExecProcessRequest exec =
                ExecProcessRequest.newBuilder().setId("c1").setExecId("e1").build();

        StateResponse told = StateResponse.parseFrom(call("State", state()));
        call("Exec", exec);
        TtrpcStatusException refused =
                refusal("Kill", KillRequest.newBuilder().setId("c1").setSignal(15).build());

        assertThat(told.getStatus()).isEqualTo(Status.PAUSED);
        assertThat(told.getPid()).isEqualTo(FakeRuncShim.PID);
        assertThat(told.getBundle()).isEqualTo(bundle("c1").toString());
        assertThat(shim.requests).contains(exec);
        assertThat(refused.code()).isEqualTo(5);
        assertThat(refused.description()).isEqualTo("process already finished: in runc's words");
    }

    @Test
    void aWaitIsAnsweredWhenTheContainerEndsAndNothingIsLeftAfterItsDeletion() throws Exception {
        create();
        CompletableFuture<ByteString> wait =
                client().send(TASK, "Wait", WaitRequest.newBuilder().setId("c1").build(), LONG);
        call("State", state());
        assertThat(wait).isNotDone();

        call("Kill", KillRequest.newBuilder().setId("c1").setSignal(9).build());

        assertThat(WaitResponse.parseFrom(wait.get(20, TimeUnit.SECONDS)).getExitStatus())
                .isEqualTo(137);
        assertThat(DeleteResponse.parseFrom(call("Delete", delete())).getExitStatus()).isEqualTo(7);
        assertThat(shim.requests.getLast()).isInstanceOf(ShutdownRequest.class);
        assertThat(nativeBundle()).doesNotExist();
        assertThat(refusal("State", state()).code()).isEqualTo(5);
        call("Shutdown", ShutdownRequest.newBuilder().setId("c1").build());
    }

    @Test
    void aCreationThatRuncRefusesIsToldInItsWordsAndLeavesNothing() throws Exception {
        shim.refuse();

        Files.createDirectories(bundle("c1"));
        Files.writeString(bundle("c1").resolve("config.json"), CONTAINER);
        TtrpcStatusException refused = refusal("Create", request("c1"));

        assertThat(refused.code()).isEqualTo(5);
        assertThat(refused.description()).isEqualTo("OCI runtime create failed: no such program");
        assertThat(nativeBundle()).doesNotExist();
        assertThat(refusal("State", state()).code()).isEqualTo(5);
    }

    @Test
    void aContainerWhoseShimDiesHasEndedForContainerd() throws Exception {
        create();
        CompletableFuture<ByteString> wait =
                client().send(TASK, "Wait", WaitRequest.newBuilder().setId("c1").build(), LONG);
        call("State", state());

        shim.close();

        assertThat(WaitResponse.parseFrom(wait.get(20, TimeUnit.SECONDS)).getExitStatus())
                .isEqualTo(137);
        assertThat(StateResponse.parseFrom(call("State", state())).getStatus())
                .isEqualTo(Status.STOPPED);
        assertThat(
                        PidsResponse.parseFrom(
                                        call("Pids", PidsRequest.newBuilder().setId("c1").build()))
                                .getProcessesCount())
                .isEqualTo(1);
        assertThat(refusal("Kill", KillRequest.newBuilder().setId("c1").build()).code())
                .isEqualTo(5);
        assertThat(DeleteResponse.parseFrom(call("Delete", delete())).getPid())
                .isEqualTo(FakeRuncShim.PID);
        assertThat(shim.deletes).containsExactly("c1");
        assertThat(events.topics()).containsExactly("/tasks/create", "/tasks/exit");
        assertThat(refusal("State", state()).code()).isEqualTo(5);
        assertThat(nativeBundle()).doesNotExist();
    }

    @Test
    void whatContainerdHasGivenUpIsKilledAndDeleted() throws Exception {
        create();

        assertThat(relays.forget(KEY).orElseThrow().getPid()).isEqualTo(FakeRuncShim.PID);

        assertThat(shim.requests)
                .extracting(request -> request.getDescriptorForType().getName())
                .contains("KillRequest", "DeleteRequest", "ShutdownRequest");
        assertThat(relays.forget(KEY)).isEmpty();
        assertThat(nativeBundle()).doesNotExist();
    }

    @Test
    void aContainerOfAPodThatIsNotKnownIsRefused() throws Exception {
        Files.createDirectories(bundle("c1"));
        Files.writeString(
                bundle("c1").resolve("config.json"), CONTAINER.replace("\"pause\"", "\"other\""));

        assertThat(refusal("Create", request("c1")).description())
                .startsWith("pod sandbox other of container c1 is not known here");
    }
}
