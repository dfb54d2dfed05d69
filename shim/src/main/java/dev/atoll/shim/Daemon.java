package dev.atoll.shim;

import dev.atoll.shim.control.AtollService;
import dev.atoll.shim.control.ContainerEnds;
import dev.atoll.shim.control.DaemonInfo;
import dev.atoll.shim.control.LauncherService;
import dev.atoll.shim.events.EventPublisher;
import dev.atoll.shim.grpc.ApiServer;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.relay.NativeSettings;
import dev.atoll.shim.relay.RelayRouter;
import dev.atoll.shim.relay.Relays;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.task.TaskCreator;
import dev.atoll.shim.task.TaskEndpoints;
import dev.atoll.shim.task.TaskLifecycle;
import dev.atoll.shim.task.TaskService;
import dev.atoll.shim.task.TaskTable;
import dev.atoll.shim.ttrpc.TtrpcServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The running daemon: its parts put together, and taken apart in reverse order. Confined to the
/// thread that opens and closes it.
public final class Daemon implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Daemon.class);
    private static final Duration EVENT_BACKOFF = Duration.ofMillis(200);

    /// As the distribution's script says; else as on containerd's `PATH`, where it must be anyway.
    private static final Path LAUNCHER =
            Path.of(System.getProperty("atoll.launcher", "containerd-shim-wasmtime-v1"));

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private Daemon() {}

    /// Opens all parts; when this returns, containerd and the command line can connect.
    ///
    /// @throws IOException with one line for the operator; nothing is left open
    public static Daemon open(DaemonFlags flags, Backend.Opener backends) throws IOException {
        Daemon daemon = new Daemon();
        try {
            daemon.compose(flags, backends);
            return daemon;
        } catch (IOException | RuntimeException e) {
            daemon.close();
            throw e;
        }
    }

    private void compose(DaemonFlags flags, Backend.Opener backends) throws IOException {
        InstantSource clock = InstantSource.system();
        int pid = Math.toIntExact(ProcessHandle.current().pid());
        RunDirectory run = keep(RunDirectory.lock(flags.runDirectory(), pid));
        Backend backend = backends.open(flags);
        keep(backend.closer());
        keep(backend.workloads());
        EventPublisher events =
                keep(
                        EventPublisher.start(
                                flags.containerdTtrpc().toString(), clock, EVENT_BACKOFF));
        TaskTable tasks = new TaskTable();
        TaskCreator creator =
                new TaskCreator(
                        backend.specs(),
                        backend.pods(),
                        backend.programs(),
                        backend.workloads(),
                        clock);
        TaskService service = new TaskService(tasks, creator, events, clock, pid);
        PeerCheck peers = PeerCheck.ownUserAndRoot();

        Relays relays =
                Relays.of(
                        tasks,
                        backend.specs(),
                        events,
                        clock,
                        new NativeSettings(
                                backend.nativeRuntime(),
                                LAUNCHER,
                                run.nativeBundles(),
                                flags.containerd(),
                                flags.containerdTtrpc()));
        List<RpcService> taskServices = new RelayRouter(relays).before(TaskEndpoints.of(service));
        List<RpcService> ttrpc = new ArrayList<>(taskServices);
        ttrpc.add(
                new LauncherService(
                                key ->
                                        service.forget(key)
                                                .map(exit -> ContainerEnds.end(pid, exit))
                                                .or(() -> relays.forget(key)),
                                events,
                                run.ttrpcSocket(),
                                clock,
                                pid)
                        .endpoint());
        List<RpcService> api = new ArrayList<>(taskServices);
        api.add(
                new AtollService(
                                tasks,
                                relays,
                                new DaemonInfo(
                                        Version.current(), pid, clock.instant(), backend.engine()))
                        .endpoint());

        // Last to be bound is what a launcher waits for; last to be bound is first to be closed.
        keep(() -> endGuests(tasks, service));
        keep(relays);
        keep(new LateApiServer(() -> ApiServer.start(run.apiSocket(), peers, api)));
        keep(TtrpcServer.start(run.ttrpcSocket(), peers, ttrpc));
        LOGGER.atInfo()
                .addKeyValue(LogKeys.VERSION, Version.current())
                .addKeyValue(LogKeys.PID, pid)
                .addKeyValue(LogKeys.PATH, run.ttrpcSocket())
                .log("daemon ready");
    }

    private static void endGuests(TaskTable tasks, TaskService service) {
        for (TaskLifecycle task : tasks.all()) {
            service.forget(task.config().key());
        }
    }

    private <T extends AutoCloseable> T keep(T part) {
        parts.push(part);
        return part;
    }

    /// Stops accepting, ends the guests, removes the sockets.
    @Override
    public void close() {
        for (AutoCloseable part = parts.poll(); part != null; part = parts.poll()) {
            try {
                part.close();
            } catch (Exception e) {
                LOGGER.atError().setCause(e).log("a part of the daemon did not close properly");
            }
        }
    }
}
