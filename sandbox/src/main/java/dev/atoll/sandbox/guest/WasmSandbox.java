package dev.atoll.sandbox.guest;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.GuestRequest;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadFactory;
import dev.atoll.sandbox.code.ProgramCache;
import dev.atoll.sandbox.code.ProgramLease;
import dev.atoll.sandbox.engine.Engine;
import dev.atoll.sandbox.engine.EngineInfo;
import dev.atoll.sandbox.engine.GuestSpec;
import dev.atoll.sandbox.engine.GuestUser;
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

    /// Files that a guest may have open where its spec says nothing, as Linux has it for a process.
    private static final long OPEN_FILES = 1024;

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
        Demands.check(request.spec());
        Placement placement = Placement.of(request.container(), request.spec(), pods, profiles);
        Closers closers = new Closers();
        try {
            View view =
                    engine.view(
                            FilesystemView.of(request.bundle(), request.rootfs(), request.spec()));
            closers.add(view::close);
            ProgramLease program = programs.acquire(request.program(), view, process.cwd());
            closers.add(program::close);
            return guest(request, process, placement, view, program, closers);
        } catch (RuntimeException | Error e) {
            closers.closeAfter(e);
            throw e;
        }
    }

    private WasmGuest guest(
            GuestRequest request,
            ProcessSpec process,
            Placement placement,
            View view,
            ProgramLease program,
            Closers closers) {
        ProgramRole role =
                ProgramRole.of(program.module().exports(), request.program().entrypoint().export());
        GuestSpec spec = spec(request, process, placement, role);
        WorkloadDescription description =
                new WorkloadDescription(
                        program.module().kind(), role.word(), program.program(), program.hit());
        WasmGuest workload =
                new WasmGuest(
                        request.container().toString(),
                        description,
                        closers,
                        onEnd -> engine.guest(spec, program.module(), view, onEnd));
        enter(workload);
        closers.addLast(() -> leave(workload));
        return workload;
    }

    private static GuestSpec spec(
            GuestRequest request, ProcessSpec process, Placement placement, ProgramRole role) {
        return new GuestSpec(
                placement.name(),
                process.args(),
                process.env(),
                process.cwd().isEmpty() ? "/" : process.cwd(),
                request.program().entrypoint().export(),
                request.stdio(),
                request.spec().linux().resources().memoryLimit().filter(n -> n > 0).orElse(0L),
                GuestUser.of(process),
                process.openFiles().map(most -> Math.max(most, 1)).orElse(OPEN_FILES),
                new NetworkSpec(placement.network(), placement.policy()),
                role == ProgramRole.SERVER
                        ? Optional.of(new HttpSpec(HttpAddress.of(process.env()), placement.http()))
                        : Optional.empty());
    }

    private static ProcessSpec process(GuestRequest request) {
        ProcessSpec process =
                request.spec()
                        .process()
                        .orElseThrow(() ->
                                new InvalidWorkload(
                                        "the runtime spec has no process: expected process.args with the program to run"));
        if (process.terminal()) {
            throw new InvalidWorkload(
                    "a terminal is not supported for wasm containers: remove tty: true (or -t) and use stdin: true (or -i) alone");
        }
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

    private void enter(Workload guest) {
        synchronized (lock) {
            if (closed) {
                throw new SandboxFailure("the sandbox is closed: no guest can be made");
            }
            guests.add(guest);
        }
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
