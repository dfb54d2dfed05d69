package dev.atoll.shim.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import dev.atoll.api.containerd.events.TaskExecAdded;
import dev.atoll.api.containerd.events.TaskExecStarted;
import dev.atoll.api.containerd.events.TaskExit;
import dev.atoll.api.containerd.task.CloseIORequest;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.ExecProcessRequest;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.ResizePtyRequest;
import dev.atoll.api.containerd.task.StartRequest;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.types.Status;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.spec.RuntimeSpec.ConsoleSize;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.status.AlreadyExists;
import dev.atoll.shim.status.FailedPrecondition;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.status.NotFound;
import dev.atoll.shim.testing.FakeWorkload;
import dev.atoll.shim.testing.FakeWorkloadFactory;
import dev.atoll.shim.testing.Fakes;
import dev.atoll.shim.testing.RecordingEvents;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What is executed in a container, as containerd asks for it.
final class TaskExecTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
    private static final ContainerKey KEY = new ContainerKey("k8s.io", "c1");

    private final CallContext context = new CallContext("k8s.io");
    private final RecordingEvents events = new RecordingEvents();
    private final FakeWorkloadFactory workloads = new FakeWorkloadFactory();
    private final InstantSource clock = InstantSource.fixed(NOW);
    private final TaskService service =
            new TaskService(
                    new TaskTable(),
                    new TaskCreator(Fakes.SPECS, Fakes.PODS, Fakes.PROGRAMS, workloads, clock),
                    events,
                    clock,
                    42);

    @BeforeEach
    void aContainerRuns() {
        var _ =
                service.create(
                        context,
                        CreateTaskRequest.newBuilder().setId("c1").setBundle("/b").build());
        start("");
    }

    private void start(String exec) {
        var _ =
                service.start(
                        context, StartRequest.newBuilder().setId("c1").setExecId(exec).build());
    }

    private static ExecProcessRequest.Builder request(String exec) {
        String process =
                """
                {"terminal": true, "consoleSize": {"width": 80, "height": 24}, "user": {"uid": 1, "gid": 2},
                 "args": ["cat", "x"], "env": ["A=b"], "cwd": "/data", "noNewPrivileges": true}
                """;
        return ExecProcessRequest.newBuilder()
                .setId("c1")
                .setExecId(exec)
                .setTerminal(true)
                .setStdin("/in")
                .setStdout("/out")
                .setSpec(
                        Any.newBuilder()
                                .setTypeUrl(
                                        "types.containerd.io/opencontainers/runtime-spec/1/Process")
                                .setValue(ByteString.copyFromUtf8(process)));
    }

    private void exec(String exec) {
        var _ = service.exec(context, request(exec).build());
    }

    private StateResponse state(String exec) {
        return service.state(
                context, StateRequest.newBuilder().setId("c1").setExecId(exec).build());
    }

    private DeleteResponse delete(String exec) {
        return service.delete(
                context, DeleteRequest.newBuilder().setId("c1").setExecId(exec).build());
    }

    private void kill(String exec, int signal, boolean all) {
        var _ =
                service.kill(
                        context,
                        KillRequest.newBuilder()
                                .setId("c1")
                                .setExecId(exec)
                                .setSignal(signal)
                                .setAll(all)
                                .build());
    }

    private FakeWorkload container() {
        return workloads.of(KEY);
    }

    private FakeWorkload command(String exec) {
        return container().command(exec);
    }

    @Test
    void aCommandLivesAsContainerdWantsItBesideItsContainer() {
        exec("e1");
        assertThat(state("e1").getStatus()).isEqualTo(Status.CREATED);
        start("e1");
        assertThat(state("e1"))
                .isEqualTo(
                        StateResponse.newBuilder()
                                .setId("c1")
                                .setExecId("e1")
                                .setPid(42)
                                .setStatus(Status.RUNNING)
                                .setStdin("/in")
                                .setStdout("/out")
                                .setTerminal(true)
                                .build());

        command("e1").end(new WorkloadEnd.Exited(3));

        assertThat(state("e1").getExitStatus()).isEqualTo(3);
        assertThat(state("").getStatus()).isEqualTo(Status.RUNNING);
        assertThat(delete("e1").getExitStatus()).isEqualTo(3);
        assertThat(command("e1").isClosed()).isTrue();
        assertThatThrownBy(() -> state("e1"))
                .isInstanceOf(NotFound.class)
                .hasMessage("container c1 has no exec e1");
        assertThat(events.all().stream().skip(2).map(TaskEvent::message))
                .containsExactly(
                        TaskExecAdded.newBuilder().setContainerId("c1").setExecId("e1").build(),
                        TaskExecStarted.newBuilder()
                                .setContainerId("c1")
                                .setExecId("e1")
                                .setPid(42)
                                .build(),
                        TaskExit.newBuilder()
                                .setContainerId("c1")
                                .setId("e1")
                                .setPid(42)
                                .setExitStatus(3)
                                .setExitedAt(Timestamps.of(NOW))
                                .build());
        assertThat(events.topics().subList(2, 5))
                .containsExactly("/tasks/exec-added", "/tasks/exec-started", "/tasks/exit");
    }

    @Test
    void theCommandIsReadAsTheRuntimeSpecHasIt() {
        exec("e1");

        ExecRequest request = container().requests.getFirst();
        assertThat(request.stdio()).isEqualTo(new Stdio("/in", "/out", ""));
        assertThat(request.process().args()).containsExactly("cat", "x");
        assertThat(request.process().env()).containsExactly("A=b");
        assertThat(request.process().cwd()).isEqualTo("/data");
        assertThat(request.process().terminal()).isTrue();
        assertThat(request.process().consoleSize()).contains(new ConsoleSize(80, 24));
    }

    @Test
    void theEndOfTheContainerEndsItsCommandsFirst() {
        for (String exec : List.of("runs", "created", "ended")) {
            exec(exec);
        }
        start("runs");
        start("ended");
        command("ended").end(new WorkloadEnd.Exited(0));

        container().end(new WorkloadEnd.Exited(7));

        assertThat(state("runs").getExitStatus()).isEqualTo(137);
        assertThat(state("created").getExitStatus()).isEqualTo(137);
        assertThat(state("ended").getExitStatus()).isZero();
        assertThat(state("").getExitStatus()).isEqualTo(7);
        assertThat(
                        events.all().stream()
                                .map(TaskEvent::message)
                                .filter(TaskExit.class::isInstance)
                                .map(exit -> ((TaskExit) exit).getId()))
                .containsExactly("ended", "runs", "created", "c1");
        assertThatThrownBy(() -> exec("late"))
                .isInstanceOf(FailedPrecondition.class)
                .hasMessage("exec in container c1: expected state running, was stopped");
    }

    @Test
    void deletingTheContainerReleasesCommandsThatAreLeft() {
        exec("e1");
        start("e1");
        container().end(new WorkloadEnd.Exited(0));

        var _ = delete("");

        assertThat(command("e1").isClosed()).isTrue();
        assertThat(events.topics()).endsWith("/tasks/delete");
    }

    @Test
    void aContainerThatIsGivenUpTakesItsCommandsWithIt() {
        exec("e1");
        start("e1");

        var _ = service.forget(KEY);

        assertThat(command("e1").isClosed()).isTrue();
        assertThat(container().isClosed()).isTrue();
        assertThat(events.topics()).doesNotContain("/tasks/exit");
    }

    @Test
    void aSignalReachesTheCommandThatItNamesOrAll() {
        exec("e1");
        start("e1");
        kill("e1", 1, false);
        kill("", 2, true);
        kill("", 3, false);

        assertThat(command("e1").signals).containsExactly(1, 2);
        assertThat(container().signals).containsExactly(2, 3);
        kill("e1", 9, false);
        assertThatThrownBy(() -> kill("e1", 9, false))
                .isInstanceOf(NotFound.class)
                .hasMessage("kill exec e1 of container c1: it has ended already");
        assertThat(state("").getStatus()).isEqualTo(Status.RUNNING);
    }

    @Test
    void inputAndSizeAreThoseOfTheCommandThatIsNamed() {
        exec("e1");
        start("e1");

        var _ =
                service.closeIo(
                        context,
                        CloseIORequest.newBuilder()
                                .setId("c1")
                                .setExecId("e1")
                                .setStdin(true)
                                .build());
        var _ =
                service.resizePty(
                        context,
                        ResizePtyRequest.newBuilder()
                                .setId("c1")
                                .setExecId("e1")
                                .setWidth(100)
                                .setHeight(-1)
                                .build());

        assertThat(command("e1").isStdinClosed()).isTrue();
        assertThat(container().isStdinClosed()).isFalse();
        assertThat(command("e1").sizes).containsExactly(new TerminalSize(100, 65535));
        assertThat(container().sizes).isEmpty();
    }

    @Test
    void whatIsNotPossibleIsRefusedInWords() {
        exec("e1");
        assertThatThrownBy(() -> exec("e1"))
                .isInstanceOf(AlreadyExists.class)
                .hasMessageContaining("exec e1 of container c1 exists already");
        start("e1");
        assertThatThrownBy(() -> start("e1"))
                .isInstanceOf(FailedPrecondition.class)
                .hasMessage("start exec e1 of container c1: expected state created, was running");
        assertThatThrownBy(() -> delete("e1"))
                .isInstanceOf(FailedPrecondition.class)
                .hasMessage("delete exec e1 of container c1: expected state stopped, was running");
        assertThatThrownBy(() -> start("e2")).isInstanceOf(NotFound.class);
        assertThatThrownBy(() -> exec("")).isInstanceOf(InvalidArgument.class);
        assertThatThrownBy(() ->
                        service.exec(context, request("e3").setSpec(Any.newBuilder()).build()))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageStartingWith("exec e3 of container c1: the document is empty");
    }

    @Test
    void aCommandOutOfMemoryIsNotTheContainers() {
        exec("e1");
        start("e1");

        command("e1").end(new WorkloadEnd.OutOfMemory());

        assertThat(state("e1").getExitStatus()).isEqualTo(137);
        assertThat(events.topics()).doesNotContain("/tasks/oom");
    }
}
