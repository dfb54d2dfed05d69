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
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadFactory;
import dev.atoll.sandbox.code.ProgramCache;
import dev.atoll.sandbox.code.ProgramLease;
import dev.atoll.sandbox.engine.Engine;
import dev.atoll.sandbox.engine.EngineInfo;
import dev.atoll.sandbox.engine.GuestSpec;
import dev.atoll.sandbox.engine.HttpSpec;
import dev.atoll.sandbox.engine.NetworkSpec;
import dev.atoll.sandbox.engine.View;
import dev.atoll.sandbox.files.FilesystemView;
import dev.atoll.sandbox.http.HttpAddress;
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

    private final Engine engine;
    private final ProgramCache programs;
    private final HandlerProfiles profiles;
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
            Duration closeDeadline) {
        this.engine = engine;
        this.programs = programs;
        this.profiles = profiles;
        this.closeDeadline = closeDeadline;
    }

    /// Loads the engine, checks the node's policies and opens the code cache.
    ///
    /// @throws dev.atoll.sandbox.SandboxException if one of them is not possible
    public static WasmSandbox open(SandboxConfig config) {
        Engine engine = Engine.open(config.library(), config.engine());
        try {
            HandlerProfiles profiles = HandlerProfiles.of(config.settings(), engine::policy);
            ProgramCache programs =
                    ProgramCache.open(engine, config.stateDirectory(), config.code());
            return new WasmSandbox(engine, programs, profiles, config.closeDeadline());
        } catch (RuntimeException | Error e) {
            engine.close();
            throw e;
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
            View view =
                    engine.view(
                            FilesystemView.of(request.bundle(), request.rootfs(), request.spec()));
            closers.add(view::close);
            ProgramLease program = programs.acquire(request.program(), view, process.cwd());
            closers.add(program::close);
            return own(new Surroundings(request, process, placement, view), program, closers);
        } catch (RuntimeException | Error e) {
            closers.closeAfter(e);
            throw e;
        }
    }

    private Workload own(Surroundings surroundings, ProgramLease program, Closers closers) {
        GuestRequest request = surroundings.request();
        Placement placement = surroundings.placement();
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
                                : Optional.empty());
        return enter(
                new WasmGuest(
                        request.container().toString(),
                        description(program, role),
                        closers,
                        (exec, beside) ->
                                new ExecutedGuest(exec, asked -> command(surroundings, asked)),
                        onEnd ->
                                engine.guest(
                                        spec, program.module(), surroundings.view(), onEnd)),
                closers);
    }

    /// The guest of a command: its program, or one that says why there is none.
    private Workload command(Surroundings surroundings, ExecRequest exec) {
        Command command =
                new CommandSearch(
                                surroundings.request().program(),
                                surroundings.process().args().getFirst(),
                                surroundings.view())
                        .find(exec.process());
        return switch (command) {
            case Command.Program(WasmProgram program) -> {
                try {
                    yield executed(surroundings, exec, program);
                } catch (SandboxException | OciException e) {
                    yield refusal(surroundings, exec, CommandSearch.notExecutable(e));
                }
            }
            case Command.Refused refused -> refusal(surroundings, exec, refused);
        };
    }

    private Workload refusal(
            Surroundings surroundings, ExecRequest exec, Command.Refused refused) {
        ProcessSpec process = exec.process();
        return executed(
                surroundings,
                new ExecRequest(
                        exec.id(),
                        new ProcessSpec(
                                process.terminal(),
                                process.user(),
                                List.of("atoll: " + refused.sentence()),
                                List.of(),
                                "/",
                                process.consoleSize()),
                        exec.stdio()),
                Refusals.program(refused.status()));
    }

    private Workload executed(Surroundings surroundings, ExecRequest exec, WasmProgram found) {
        ProcessSpec process = exec.process();
        String name = "%s exec %s".formatted(surroundings.placement().name(), exec.id());
        Closers closers = new Closers();
        try {
            ProgramLease program = programs.acquire(found, surroundings.view(), process.cwd());
            closers.add(program::close);
            Optional<String> export =
                    ProgramRole.commandOf(
                            program.program(),
                            program.module().exports(),
                            found.entrypoint().export());
            GuestSpec spec =
                    spec(surroundings, name, process, export, exec.stdio(), Optional.empty());
            return enter(
                    new WasmGuest(
                            name,
                            description(
                                    program,
                                    ProgramRole.of(List.of(), found.entrypoint().export())),
                            closers,
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

    private static GuestSpec spec(
            Surroundings surroundings,
            String name,
            ProcessSpec process,
            Optional<String> export,
            Stdio stdio,
            Optional<HttpSpec> http) {
        Placement placement = surroundings.placement();
        return new GuestSpec(
                name,
                process.args(),
                process.env(),
                process.cwd().isEmpty() ? "/" : process.cwd(),
                export,
                stdio,
                process.terminal() ? Optional.of(size(process)) : Optional.empty(),
                surroundings
                        .request()
                        .spec()
                        .linux()
                        .resources()
                        .memoryLimit()
                        .filter(n -> n > 0)
                        .orElse(0L),
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
