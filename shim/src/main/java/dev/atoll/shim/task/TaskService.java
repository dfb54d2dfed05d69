package dev.atoll.shim.task;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import dev.atoll.api.cgroups.v2.Metrics;
import dev.atoll.api.containerd.task.CloseIORequest;
import dev.atoll.api.containerd.task.ConnectRequest;
import dev.atoll.api.containerd.task.ConnectResponse;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.ExecProcessRequest;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.PidsRequest;
import dev.atoll.api.containerd.task.PidsResponse;
import dev.atoll.api.containerd.task.ResizePtyRequest;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StartRequest;
import dev.atoll.api.containerd.task.StartResponse;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.StatsRequest;
import dev.atoll.api.containerd.task.StatsResponse;
import dev.atoll.api.containerd.task.UpdateTaskRequest;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.api.containerd.task.WaitResponse;
import dev.atoll.api.containerd.types.ProcessInfo;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.spec.ResourcesReader;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.oci.spec.RuntimeSpecReader;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.status.FailedPrecondition;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.status.NotFound;
import dev.atoll.shim.status.ShimException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/// containerd's Task service, without a transport. Thread-safe. Only `create`, `start`, `exec`,
/// `kill`, `delete`, `closeIo`, `resizePty` and `shutdown` may block.
public final class TaskService {
    /// Its value is JSON, not protobuf (containerd, pkg/oci and typeurl).
    private static final String LINUX_RESOURCES =
            "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";

    private final TaskTable tasks;
    private final TaskCreator creator;
    private final EventSink events;
    private final InstantSource clock;
    private final int pid;

    /// @param pid the daemon's: every task has it, since containerd wants one that is alive
    public TaskService(
            TaskTable tasks, TaskCreator creator, EventSink events, InstantSource clock, int pid) {
        this.tasks = tasks;
        this.creator = creator;
        this.events = events;
        this.clock = clock;
        this.pid = pid;
    }

    CreateTaskResponse create(CallContext context, CreateTaskRequest request) {
        ContainerKey key = newKey(context, request);
        if (request.getBundle().isEmpty()) {
            throw new InvalidArgument(
                    "create container %s: the request names no bundle".formatted(key.id()));
        }
        if (!request.getCheckpoint().isEmpty()) {
            throw new InvalidArgument(
                    "create container %s: WebAssembly guests cannot be restored from a checkpoint"
                            .formatted(key.id()));
        }
        TaskLifecycle task = new TaskLifecycle(config(key, request), pid, events, clock);
        tasks.add(task);
        MadeWorkload made;
        try {
            made = creator.make(task.config());
        } catch (RuntimeException | Error e) {
            // Killed meanwhile, it stays until it is deleted.
            task.creationFailed();
            if (task.state() instanceof TaskState.Deleted) {
                tasks.remove(task);
            }
            throw e;
        }
        if (!task.created(made)) {
            made.workload().close();
            throw new NotFound(
                    "create container %s: it was killed or deleted meanwhile".formatted(key.id()));
        }
        return CreateTaskResponse.newBuilder().setPid(pid).build();
    }

    /// Registers a command; whatever is wrong with it is told by its end, since kubelet takes an
    /// error for "unknown" and not for "failed".
    Empty exec(CallContext context, ExecProcessRequest request) {
        ContainerKey key = key(context, request.getId());
        TaskLifecycle task = tasks.get(key);
        MadeWorkload container = task.running("exec in");
        if (request.getExecId().isEmpty()) {
            throw new InvalidArgument(
                    "exec in container %s: the request names no exec: expected a non-empty exec_id"
                            .formatted(key.id()));
        }
        TaskLifecycle exec = new TaskLifecycle(config(key, request), pid, events, clock);
        ProcessSpec process =
                RuntimeSpecReader.readProcess(
                        request.getSpec().getValue().toByteArray(), exec.config().words());
        task.execs().add(exec);
        Workload command;
        try {
            command =
                    container
                            .workload()
                            .exec(
                                    new ExecRequest(
                                            request.getExecId(), process, exec.config().stdio()));
        } catch (RuntimeException | Error e) {
            exec.creationFailed();
            task.execs().remove(exec);
            throw e;
        }
        if (!exec.created(new MadeWorkload(command, container.spec(), false, clock.instant()))) {
            command.close();
            throw new FailedPrecondition(
                    "%s: the container ended meanwhile".formatted(exec.config().words()));
        }
        if (container.spec().linux().resources().oomGroup()) {
            exec.onExit(new OutOfMemoryGroup(task));
        }
        return Empty.getDefaultInstance();
    }

    private static TaskConfig config(ContainerKey key, ExecProcessRequest request) {
        return new TaskConfig(
                key,
                request.getExecId(),
                "",
                List.of(),
                new Stdio(request.getStdin(), request.getStdout(), request.getStderr()),
                request.getTerminal(),
                "");
    }

    private static TaskConfig config(ContainerKey key, CreateTaskRequest request) {
        return new TaskConfig(
                key,
                "",
                request.getBundle(),
                request.getRootfsList().stream()
                        .map(mount ->
                                new RootfsMount(
                                        mount.getType(),
                                        mount.getSource(),
                                        mount.getTarget(),
                                        mount.getOptionsList()))
                        .toList(),
                new Stdio(request.getStdin(), request.getStdout(), request.getStderr()),
                request.getTerminal(),
                request.getCheckpoint());
    }

    StartResponse start(CallContext context, StartRequest request) {
        find(context, request.getId(), request.getExecId()).start();
        return StartResponse.newBuilder().setPid(pid).build();
    }

    StateResponse state(CallContext context, StateRequest request) {
        TaskLifecycle task = find(context, request.getId(), request.getExecId());
        TaskConfig config = task.config();
        TaskState state = task.state();
        StateResponse.Builder response =
                StateResponse.newBuilder()
                        .setId(config.key().id())
                        .setExecId(config.execId())
                        .setBundle(config.bundle())
                        .setPid(pid)
                        .setStatus(state.status())
                        .setStdin(config.stdio().stdin())
                        .setStdout(config.stdio().stdout())
                        .setStderr(config.stdio().stderr())
                        .setTerminal(config.terminal());
        state.ended()
                .ifPresent(exit ->
                        response.setExitStatus(exit.status())
                                .setExitedAt(Timestamps.of(exit.at())));
        return response.build();
    }

    void await(CallContext context, WaitRequest request, Responder<WaitResponse> responder) {
        find(context, request.getId(), request.getExecId())
                .onExit(
                        new ExitWaiter() {
                            @Override
                            public void ended(ExitRecord exit) {
                                responder.reply(
                                        WaitResponse.newBuilder()
                                                .setExitStatus(exit.status())
                                                .setExitedAt(Timestamps.of(exit.at()))
                                                .build());
                            }

                            @Override
                            public boolean isAbandoned() {
                                return responder.isAbandoned();
                            }
                        });
    }

    Empty kill(CallContext context, KillRequest request) {
        TaskLifecycle process = find(context, request.getId(), request.getExecId());
        process.kill(request.getSignal());
        if (request.getAll()) {
            process.execs().signal(request.getSignal());
        }
        return Empty.getDefaultInstance();
    }

    Empty resizePty(CallContext context, ResizePtyRequest request) {
        find(context, request.getId(), request.getExecId())
                .resize(
                        TerminalSize.of(
                                Integer.toUnsignedLong(request.getWidth()),
                                Integer.toUnsignedLong(request.getHeight())));
        return Empty.getDefaultInstance();
    }

    DeleteResponse delete(CallContext context, DeleteRequest request) {
        TaskLifecycle task = tasks.get(key(context, request.getId()));
        ExitRecord exit;
        if (request.getExecId().isEmpty()) {
            exit = task.delete();
            tasks.remove(task);
        } else {
            TaskLifecycle exec = exec(task, request.getExecId());
            exit = exec.delete();
            task.execs().remove(exec);
        }
        return DeleteResponse.newBuilder()
                .setPid(pid)
                .setExitStatus(exit.status())
                .setExitedAt(Timestamps.of(exit.at()))
                .build();
    }

    PidsResponse pids(CallContext context, PidsRequest request) {
        TaskLifecycle _ = find(context, request.getId(), "");
        return PidsResponse.newBuilder().addProcesses(ProcessInfo.newBuilder().setPid(pid)).build();
    }

    Empty closeIo(CallContext context, CloseIORequest request) {
        TaskLifecycle task = find(context, request.getId(), request.getExecId());
        if (request.getStdin()) {
            task.closeStdin();
        }
        return Empty.getDefaultInstance();
    }

    Empty update(CallContext context, UpdateTaskRequest request) {
        TaskLifecycle task = find(context, request.getId(), "");
        Any resources = request.getResources();
        if (!resources.getTypeUrl().equals(LINUX_RESOURCES)) {
            throw new InvalidArgument(
                    "update container %s: its resources are of type %s: expected %s"
                            .formatted(
                                    request.getId(),
                                    OneLine.quoted(resources.getTypeUrl()),
                                    LINUX_RESOURCES));
        }
        task.update(ResourcesReader.parse(resources.getValue().toByteArray(), request.getId()));
        return Empty.getDefaultInstance();
    }

    /// A pause uses nothing, and one wrong answer would spoil the list of the whole node.
    StatsResponse stats(CallContext context, StatsRequest request) {
        TaskState state = find(context, request.getId(), "").state();
        MadeWorkload made =
                state.workload()
                        .filter(workload -> !workload.pause())
                        .orElseThrow(() ->
                                new NotFound(
                                        "container %s has no metrics".formatted(request.getId())));
        Metrics metrics = GuestMetrics.of(made, state);
        return StatsResponse.newBuilder().setStats(GuestMetrics.pack(metrics)).build();
    }

    /// Answers for an unknown task, too: `Pids` then says that it is gone.
    ConnectResponse connect(CallContext context, ConnectRequest request) {
        boolean known = tasks.find(key(context, request.getId())).isPresent();
        return ConnectResponse.newBuilder().setShimPid(pid).setTaskPid(known ? pid : 0).build();
    }

    /// The daemon serves other containers, so it stays; a task that does not run is released.
    Empty shutdown(CallContext context, ShutdownRequest request) {
        Optional<TaskLifecycle> task = tasks.find(key(context, request.getId()));
        if (task.isPresent() && task.get().state() instanceof TaskState.Stopped) {
            forget(task.get().config().key());
        }
        return Empty.getDefaultInstance();
    }

    /// Releases a task that containerd has given up, whatever its state.
    ///
    /// @return how it ended; empty if it is not known
    public Optional<ExitRecord> forget(ContainerKey key) {
        Optional<TaskLifecycle> task = tasks.find(key);
        if (task.isEmpty()) {
            return Optional.empty();
        }
        ExitRecord exit = task.get().forget();
        tasks.remove(task.get());
        return Optional.of(exit);
    }

    public int pid() {
        return pid;
    }

    /// The key of a new task. containerd 1.7 sends no namespace for clients other than CRI; there
    /// the bundle's parent folder names it (containerd, core/runtime/v2/bundle.go:
    /// `<state>/<namespace>/<id>`), and later calls on the connection are taken to mean it.
    private static ContainerKey newKey(CallContext context, CreateTaskRequest request) {
        if (!context.namespace().isEmpty() || request.getBundle().isEmpty()) {
            return context.key(request.getId());
        }
        Path parent = Path.of(request.getBundle()).getParent();
        Path folder = parent == null ? null : parent.getFileName();
        String namespace = folder == null ? "" : folder.toString();
        context.session().remember(namespace);
        return new CallContext(namespace).key(request.getId());
    }

    /// The key of a known task. Without a namespace: that of the connection, or else of the one
    /// task that has the id.
    private ContainerKey key(CallContext context, String id) {
        if (!context.knownNamespace().isEmpty()) {
            return new CallContext(context.knownNamespace()).key(id);
        }
        return tasks.onlyOneWith(id).orElseGet(() -> context.key(id));
    }

    private TaskLifecycle find(CallContext context, String id, String execId) throws ShimException {
        TaskLifecycle task = tasks.get(key(context, id));
        return execId.isEmpty() ? task : exec(task, execId);
    }

    private static TaskLifecycle exec(TaskLifecycle task, String execId) {
        return task.execs().get(task.config().key().id(), execId);
    }
}
