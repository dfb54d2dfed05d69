package dev.atoll.sandbox.guest;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.OciException;
import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.GuestRequest;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.NativeProgram;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadFactory;
import dev.atoll.sandbox.code.ProgramCache;
import dev.atoll.sandbox.code.ProgramFile;
import dev.atoll.sandbox.code.ProgramLease;
import dev.atoll.sandbox.engine.Engine;
import dev.atoll.sandbox.engine.EngineInfo;
import dev.atoll.sandbox.engine.Guest;
import dev.atoll.sandbox.engine.GuestSpec;
import dev.atoll.sandbox.engine.GuestUser;
import dev.atoll.sandbox.engine.HttpSpec;
import dev.atoll.sandbox.engine.NetworkSpec;
import dev.atoll.sandbox.engine.View;
import dev.atoll.sandbox.files.FilesystemView;
import dev.atoll.sandbox.http.HttpAddress;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Wasm guests and pods in this process. Thread-safe.
public final class WasmSandbox implements WorkloadFactory {
    private static final Logger LOGGER = LoggerFactory.getLogger(WasmSandbox.class);

    /// Files that a guest may have open where its spec says nothing, as Linux has it for a process.
    private static final long OPEN_FILES = 1024;

    private final Engine engine;
    private final ProgramCache programs;
    private final HandlerProfiles profiles;
    private final GuestDefaults defaults;
    private final Duration closeDeadline;
    private final Pods pods = new Pods();
    private final Object lock = new Object();

    /// Guests that hold something of the engine.
    @GuardedBy("lock")
    private final Set<Workload> guests = new HashSet<>();

    @GuardedBy("lock")
    private boolean closed;

    /// Completed when the last guest of a closed sandbox is released.
    private final CompletableFuture<Boolean> drained = new CompletableFuture<>();

    private WasmSandbox(
            Engine engine,
            ProgramCache programs,
            HandlerProfiles profiles,
            GuestDefaults defaults,
            Duration closeDeadline) {
        this.engine = engine;
        this.programs = programs;
        this.profiles = profiles;
        this.defaults = defaults;
        this.closeDeadline = closeDeadline;
    }

    /// Loads the engine, checks the node's policies and opens the code cache.
    ///
    /// @throws dev.atoll.sandbox.SandboxException if one of them is not possible
    public static WasmSandbox open(SandboxConfig config) {
        NodeLimits limits = config.settings().limits();
        Engine engine =
                Engine.open(config.library(), config.engine().withMemory(memory(limits.memory())));
        try {
            HandlerProfiles profiles = HandlerProfiles.of(config.settings(), engine::policy);
            ProgramCache programs =
                    ProgramCache.open(engine, config.stateDirectory(), config.code());
            return new WasmSandbox(
                    engine, programs, profiles, limits.guests(), config.closeDeadline());
        } catch (RuntimeException | Error e) {
            engine.close();
            throw e;
        }
    }

    private static long memory(MemoryShare share) {
        try {
            return share.of(NodeMemory.OF_THIS_NODE.available());
        } catch (IOException e) {
            throw new SandboxFailure(
                    "the node's memory cannot be told: %s; set limits.memory to a number of bytes"
                            .formatted(e.getMessage()),
                    e);
        }
    }

    public EngineInfo describe() {
        return engine.describe();
    }

    public Pods pods() {
        return pods;
    }

    @Override
    public Workload guest(GuestRequest request) {
        ProcessSpec process = process(request);
        Placement placement = Placement.of(request.container(), request.spec(), pods, profiles);
        Closers closers = new Closers();
        try {
            View view = view(request, process);
            closers.add(view::close);
            ProgramLease program =
                    programs.acquire(
                            placement.owner().toString(), request.program(), view, process);
            closers.add(program::close);
            return own(new Surroundings(request, process, placement, view), program, closers);
        } catch (NativeProgram e) {
            // Before anybody else mounts the same files.
            closers.closeAfter(e);
            throw placement.nativeContainers() ? e : nativeRefused(e);
        } catch (RuntimeException | Error e) {
            closers.closeAfter(e);
            throw e;
        }
    }

    private static InvalidWorkload nativeRefused(NativeProgram program) {
        return new InvalidWorkload(
                "%s; this node's configuration refuses native containers beside WebAssembly (native: containers = \"refuse\")"
                        .formatted(program.getMessage()),
                program);
    }

    /// A native container may have mounts that no guest can have; so before one is refused for
    /// them, its root file system alone is looked at.
    private View view(GuestRequest request, ProcessSpec process) {
        try {
            return engine.view(
                    FilesystemView.of(request.bundle(), request.rootfs(), request.spec()));
        } catch (InvalidWorkload refusal) {
            if (request.program() instanceof WasmProgram.RootfsFile file) {
                refuseNative(request, file, process, refusal);
            }
            throw refusal;
        }
    }

    /// @throws NativeProgram if it is one
    private void refuseNative(
            GuestRequest request,
            WasmProgram.RootfsFile file,
            ProcessSpec process,
            InvalidWorkload refusal) {
        try (View rootfs =
                        engine.view(
                                FilesystemView.ofRootfs(
                                        request.bundle(), request.rootfs(), request.spec()));
                ProgramFile _ = ProgramFile.find(file, rootfs, process)) {
            // It is WebAssembly.
        } catch (InvalidWorkload | IOException e) {
            refusal.addSuppressed(e);
        }
    }

    private Workload own(Surroundings surroundings, ProgramLease program, Closers closers) {
        GuestRequest request = surroundings.request();
        Placement placement = surroundings.placement();
        Demands.check(request.spec(), placement);
        ProcessSpec process = surroundings.process();
        Optional<String> export = request.program().entrypoint().export();
        ProgramRole role = ProgramRole.of(program.module().exports(), export);
        GuestSpec spec =
                spec(
                        surroundings,
                        placement.name(),
                        process,
                        export,
                        request.stdio(),
                        role == ProgramRole.SERVER
                                ? Optional.of(
                                        new HttpSpec(
                                                HttpAddress.of(process.env()), placement.http()))
                                : Optional.empty(),
                        Optional.empty());
        return enter(
                new WasmGuest(
                        request.container().toString(),
                        description(program, role),
                        closers,
                        defaults,
                        (exec, beside) ->
                                new ExecutedGuest(
                                        exec, asked -> command(surroundings, beside, asked)),
                        onEnd -> engine.guest(spec, program.module(), surroundings.view(), onEnd)),
                closers);
    }

    /// The guest of a command: its program, or one that says why there is none.
    private Workload command(Surroundings surroundings, Guest beside, ExecRequest exec) {
        Command command =
                new CommandSearch(
                                surroundings.request().program(),
                                surroundings.process().args().getFirst(),
                                surroundings.view())
                        .find(exec.process());
        return switch (command) {
            case Command.Program(WasmProgram program) -> {
                try {
                    yield executed(surroundings, beside, exec, program);
                } catch (SandboxException | OciException e) {
                    yield refusal(surroundings, beside, exec, CommandSearch.notExecutable(e));
                }
            }
            case Command.Refused refused -> refusal(surroundings, beside, exec, refused);
        };
    }

    private Workload refusal(
            Surroundings surroundings, Guest beside, ExecRequest exec, Command.Refused refused) {
        ProcessSpec process = exec.process();
        return executed(
                surroundings,
                beside,
                new ExecRequest(
                        exec.id(),
                        new ProcessSpec(
                                process.terminal(),
                                process.user(),
                                List.of("atoll: " + refused.sentence()),
                                List.of(),
                                "/",
                                process.consoleSize(),
                                process.capabilities(),
                                process.openFiles()),
                        exec.stdio()),
                Refusals.program(refused.status()));
    }

    /// @param beside the engine's guest of the container
    private Workload executed(
            Surroundings surroundings, Guest beside, ExecRequest exec, WasmProgram found) {
        ProcessSpec process = exec.process();
        String name = "%s exec %s".formatted(surroundings.placement().name(), exec.id());
        Closers closers = new Closers();
        try {
            ProgramLease program =
                    programs.acquire(
                            surroundings.placement().owner().toString(),
                            found,
                            surroundings.view(),
                            process);
            closers.add(program::close);
            Optional<String> export =
                    ProgramRole.commandOf(
                            program.program(),
                            program.module().exports(),
                            found.entrypoint().export());
            GuestSpec spec =
                    spec(
                            surroundings,
                            name,
                            process,
                            export,
                            exec.stdio(),
                            Optional.empty(),
                            Optional.of(beside));
            return enter(
                    new WasmGuest(
                            name,
                            description(
                                    program,
                                    ProgramRole.of(List.of(), found.entrypoint().export())),
                            closers,
                            defaults,
                            WasmGuest.NO_COMMANDS,
                            onEnd ->
                                    engine.guest(
                                            spec, program.module(), surroundings.view(), onEnd)),
                    closers);
        } catch (RuntimeException | Error e) {
            closers.closeAfter(e);
            throw e;
        }
    }

    private static WorkloadDescription description(ProgramLease program, ProgramRole role) {
        return new WorkloadDescription(
                program.module().kind(), role.word(), program.program(), program.hit());
    }

    private GuestSpec spec(
            Surroundings surroundings,
            String name,
            ProcessSpec process,
            Optional<String> export,
            Stdio stdio,
            Optional<HttpSpec> http,
            Optional<Guest> joins) {
        Placement placement = surroundings.placement();
        return new GuestSpec(
                name,
                process.args(),
                process.env(),
                process.cwd().isEmpty() ? "/" : process.cwd(),
                export,
                process.terminal() ? stdio.ofTerminal() : stdio,
                process.terminal() ? Optional.of(size(process)) : Optional.empty(),
                defaults.of(surroundings.request().spec().linux().resources()),
                joins,
                GuestUser.of(process),
                process.openFiles().map(most -> Math.max(most, 1)).orElse(OPEN_FILES),
                new NetworkSpec(placement.network(), placement.policy()),
                http);
    }

    private static TerminalSize size(ProcessSpec process) {
        return process.consoleSize()
                .map(size -> TerminalSize.of(size.width(), size.height()))
                .orElse(TerminalSize.UNKNOWN);
    }

    private static ProcessSpec process(GuestRequest request) {
        ProcessSpec process =
                request.spec()
                        .process()
                        .orElseThrow(() ->
                                new InvalidWorkload(
                                        "the runtime spec has no process: expected process.args with the program to run"));
        if (process.args().isEmpty()) {
            throw new InvalidWorkload(
                    "the runtime spec's process.args is empty: set command to the path of the program");
        }
        return process;
    }

    @Override
    public Workload pause(ContainerKey container, RuntimeSpec spec, CriPod cri) {
        Pod pod = Pod.of(container, spec, cri);
        pods.add(pod);
        return new VirtualPause(pods, pod);
    }

    /// @param closers of the guest
    private Workload enter(WasmGuest guest, Closers closers) {
        synchronized (lock) {
            if (closed) {
                throw new SandboxFailure("the sandbox is closed: no guest can be made");
            }
            guests.add(guest);
        }
        closers.addLast(() -> leave(guest));
        return guest;
    }

    private void leave(Workload guest) {
        boolean last;
        synchronized (lock) {
            guests.remove(guest);
            last = closed && guests.isEmpty();
        }
        if (last) {
            drained.complete(true);
        }
    }

    /// Kills the guests that are left, waits until they are released, then ends the engine.
    @Override
    public void close() {
        List<Workload> left;
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            left = List.copyOf(guests);
        }
        left.forEach(Workload::close);
        if (!left.isEmpty()) {
            drained.completeOnTimeout(false, closeDeadline.toMillis(), TimeUnit.MILLISECONDS);
            if (!drained.join()) {
                LOGGER.atWarn()
                        .addKeyValue("guests", left.size())
                        .log("guests did not end in time; the engine is closed under them");
            }
        }
        programs.close();
        engine.close();
    }
}
