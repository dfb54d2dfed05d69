package dev.atoll.shim.task;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.status.FailedPrecondition;
import dev.atoll.shim.status.NotFound;
import dev.atoll.shim.task.TaskState.Created;
import dev.atoll.shim.task.TaskState.Creating;
import dev.atoll.shim.task.TaskState.Deleted;
import dev.atoll.shim.task.TaskState.Deleting;
import dev.atoll.shim.task.TaskState.Running;
import dev.atoll.shim.task.TaskState.Starting;
import dev.atoll.shim.task.TaskState.Stopped;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One process, a container's own or one that is executed in it, from its creation to its deletion
/// (diagram: [TaskState]). Slow work is done outside of the lock: an operation claims a state,
/// works, and commits; so nothing that is asked meanwhile waits. Events, log lines and waiters are
/// served after the lock is released, in order.
///
/// Thread-safe: guarded by `lock`.
public final class TaskLifecycle {
    private static final Logger LOGGER = LoggerFactory.getLogger(TaskLifecycle.class);
    private static final int SIGKILL = 9;

    private final TaskConfig config;
    private final TaskEvents events;
    private final EventSink sink;
    private final InstantSource clock;
    private final ExecTable execs = new ExecTable();
    private final Outbox outbox = new Outbox();
    private final Object lock = new Object();

    @GuardedBy("lock")
    private TaskState state = new Creating();

    /// A memory limit has ended something that was executed in it, and so the whole of it.
    @GuardedBy("lock")
    private boolean outOfMemory;

    @GuardedBy("lock")
    private final List<ExitWaiter> waiters = new ArrayList<>();

    TaskLifecycle(TaskConfig config, int pid, EventSink sink, InstantSource clock) {
        this.config = config;
        this.events = new TaskEvents(config, pid);
        this.sink = sink;
        this.clock = clock;
    }

    public TaskConfig config() {
        return config;
    }

    /// What is executed in the container; nothing in what is an exec itself.
    ExecTable execs() {
        return execs;
    }

    public TaskState state() {
        synchronized (lock) {
            return state;
        }
    }

    /// The workload has been made.
    ///
    /// @return false if the task was killed or deleted meanwhile, so that nobody owns the workload
    boolean created(MadeWorkload made) {
        synchronized (lock) {
            if (!(state instanceof Creating)) {
                return false;
            }
            transition(new Created(made));
            publish(events.created());
        }
        outbox.drain();
        return true;
    }

    /// The workload could not be made.
    void creationFailed() {
        synchronized (lock) {
            if (state instanceof Creating) {
                transition(new Deleted(ExitRecord.killed(clock.instant())));
            }
        }
        outbox.drain();
    }

    /// Starts the workload.
    void start() {
        Workload workload;
        synchronized (lock) {
            MadeWorkload made =
                    switch (state) {
                        case Created created -> created.made();
                        case Creating _, Starting _, Running _, Stopped _ ->
                                throw refused("start", "created");
                        case Deleting _, Deleted _ -> throw gone();
                    };
            transition(new Starting(made, List.of()));
            workload = made.workload();
        }
        outbox.drain();
        try {
            workload.start(this::ended);
        } catch (RuntimeException e) {
            startFailed();
            throw e;
        }
        started(workload);
    }

    private void startFailed() {
        synchronized (lock) {
            if (state instanceof Starting starting) {
                ExitRecord exit = new ExitRecord(ExitRecord.START_FAILED, clock.instant(), false);
                publish(events.ended(exit));
                transition(new Stopped(Optional.of(starting.made()), Optional.empty(), exit));
            }
        }
        outbox.drain();
    }

    private void started(Workload workload) {
        List<Integer> pending = List.of();
        boolean forgotten = false;
        synchronized (lock) {
            switch (state) {
                case Starting starting -> {
                    transition(new Running(starting.made(), clock.instant()));
                    publish(events.started());
                    pending = starting.pendingSignals();
                }
                case Deleting _, Deleted _ -> forgotten = true;
                case Stopped _ -> {
                    // It has ended already, which ended() has told.
                }
                case Creating _, Created _, Running _ ->
                        throw new AssertionError("start was overtaken: " + state.word());
            }
        }
        outbox.drain();
        if (forgotten) {
            close(workload);
            throw gone();
        }
        for (int signal : pending) {
            try {
                workload.signal(signal);
            } catch (WorkloadEnded _) {
                return; // Nothing is left to be signalled; ended() tells how it ended.
            }
        }
    }

    /// As with processes, the container's own takes all others with it.
    private void ended(WorkloadEnd end) {
        execs.end(() -> settle(end));
    }

    private void settle(WorkloadEnd end) {
        synchronized (lock) {
            Instant now = clock.instant();
            boolean killed = end instanceof WorkloadEnd.Signalled(int signal) && signal == SIGKILL;
            ExitRecord exit =
                    new ExitRecord(
                            end.exitStatus(),
                            now,
                            end instanceof WorkloadEnd.OutOfMemory || (killed && outOfMemory));
            switch (state) {
                case Starting starting -> {
                    transition(new Running(starting.made(), now));
                    publish(events.started());
                    stop(starting.made(), now, exit);
                }
                case Running running -> stop(running.made(), running.startedAt(), exit);
                case Creating _, Created _, Stopped _, Deleting _, Deleted _ -> {
                    // It was deleted, and its end is what that brought about.
                }
            }
        }
        outbox.drain();
    }

    @GuardedBy("lock")
    private void stop(MadeWorkload made, Instant startedAt, ExitRecord exit) {
        if (exit.outOfMemory()) {
            events.outOfMemory().ifPresent(this::publish);
        }
        publish(events.ended(exit));
        transition(new Stopped(Optional.of(made), Optional.of(startedAt), exit));
    }

    /// Sends a signal; one that comes before the task runs ends it at once or has no effect.
    void kill(int signal) {
        Signals.check(signal);
        Optional<Workload> target = Optional.empty();
        synchronized (lock) {
            switch (state) {
                case Creating _ -> {
                    if (Signals.ends(signal)) {
                        stopBeforeStart(Optional.empty());
                    }
                }
                case Created created -> {
                    if (Signals.ends(signal)) {
                        stopBeforeStart(Optional.of(created.made()));
                    }
                }
                case Starting starting -> {
                    List<Integer> pending = new ArrayList<>(starting.pendingSignals());
                    if (signal != 0 && !pending.contains(signal)) {
                        pending.add(signal);
                    }
                    state = new Starting(starting.made(), pending);
                }
                case Running running -> target = Optional.of(running.made().workload());
                case Stopped _ ->
                        throw new NotFound(
                                "kill %s: it has ended already".formatted(config.words()));
                case Deleting _, Deleted _ -> throw gone();
            }
        }
        outbox.drain();
        if (signal != 0 && target.isPresent()) {
            target.get().signal(signal);
        }
    }

    /// Ends a container as its memory limit has ended what was executed in it. Does nothing if it
    /// has ended.
    void killOutOfMemory() {
        synchronized (lock) {
            outOfMemory = true;
        }
        try {
            kill(SIGKILL);
        } catch (NotFound | WorkloadEnded _) {
            // It has ended by itself.
        }
    }

    @GuardedBy("lock")
    private void stopBeforeStart(Optional<MadeWorkload> made) {
        ExitRecord exit = ExitRecord.killed(clock.instant());
        if (made.isPresent()) {
            publish(events.ended(exit));
        }
        transition(new Stopped(made, Optional.empty(), exit));
    }

    /// Releases everything. A task that runs is refused.
    ExitRecord delete() {
        Optional<MadeWorkload> made;
        ExitRecord exit;
        synchronized (lock) {
            made = state.workload();
            switch (state) {
                case Creating _ -> {
                    exit = ExitRecord.killed(clock.instant());
                    transition(new Deleted(exit));
                }
                case Created _ -> {
                    exit = ExitRecord.killed(clock.instant());
                    publish(events.ended(exit));
                    transition(new Deleting(exit));
                }
                case Stopped stopped -> {
                    exit = stopped.exit();
                    transition(new Deleting(exit));
                }
                case Starting _, Running _ -> throw refused("delete", "stopped");
                case Deleting _, Deleted _ -> throw gone();
            }
        }
        outbox.drain();
        execs.forget();
        made.ifPresent(claimed -> close(claimed.workload()));
        synchronized (lock) {
            if (state instanceof Deleting) {
                transition(new Deleted(exit));
            }
            if (made.isPresent()) {
                events.deleted(exit).ifPresent(this::publish);
            }
        }
        outbox.drain();
        return exit;
    }

    /// Releases everything in whatever state, without events: containerd has given the task up and
    /// publishes them itself.
    ExitRecord forget() {
        Optional<MadeWorkload> made;
        ExitRecord exit;
        boolean claimed;
        synchronized (lock) {
            made = state.workload();
            exit = state.ended().orElseGet(() -> ExitRecord.killed(clock.instant()));
            claimed =
                    switch (state) {
                        case Creating _ -> {
                            transition(new Deleted(exit));
                            yield false;
                        }
                        case Created _, Starting _, Running _, Stopped _ -> {
                            transition(new Deleting(exit));
                            yield true;
                        }
                        case Deleting _, Deleted _ -> false;
                    };
        }
        outbox.drain();
        if (claimed) {
            execs.forget();
            made.ifPresent(owned -> close(owned.workload()));
            synchronized (lock) {
                transition(new Deleted(exit));
            }
            outbox.drain();
        }
        return exit;
    }

    private void close(Workload workload) {
        try {
            workload.close();
        } catch (RuntimeException e) {
            LOGGER.atError()
                    .addKeyValue(LogKeys.NAMESPACE, config.key().namespace())
                    .addKeyValue(LogKeys.CONTAINER_ID, config.key().id())
                    .addKeyValue(LogKeys.EXEC_ID, config.execId())
                    .setCause(e)
                    .log("task not released completely");
        }
    }

    /// Lets the guest see the end of its standard input.
    void closeStdin() {
        state().workload().ifPresent(made -> made.workload().closeStdin());
    }

    /// Changes the size of its terminal.
    void resize(TerminalSize size) {
        state().workload().ifPresent(made -> made.workload().resize(size));
    }

    /// The workload of a container that runs, so that something can be executed in it.
    ///
    /// @throws FailedPrecondition if it does not run
    MadeWorkload running(String operation) {
        synchronized (lock) {
            return switch (state) {
                case Running running -> running.made();
                case Creating _, Created _, Starting _, Stopped _ ->
                        throw refused(operation, "running");
                case Deleting _, Deleted _ -> throw gone();
            };
        }
    }

    /// Changes what the workload may use.
    void update(Resources resources) {
        Workload workload;
        synchronized (lock) {
            workload =
                    switch (state) {
                        case Created created -> created.made().workload();
                        case Starting starting -> starting.made().workload();
                        case Running running -> running.made().workload();
                        case Creating _, Stopped _ -> throw refused("update", "running");
                        case Deleting _, Deleted _ -> throw gone();
                    };
        }
        workload.update(resources);
    }

    /// Tells `waiter` when the task has ended; at once, if it has.
    public void onExit(ExitWaiter waiter) {
        synchronized (lock) {
            Optional<ExitRecord> exit = state.ended();
            if (exit.isPresent()) {
                outbox.add(() -> waiter.ended(exit.get()));
            } else {
                waiters.removeIf(ExitWaiter::isAbandoned);
                waiters.add(waiter);
            }
        }
        outbox.drain();
    }

    /// Tells waiters of an end; its events are published before, so that who waits finds them sent.
    @GuardedBy("lock")
    private void transition(TaskState next) {
        state = next;
        outbox.add(() -> logState(next));
        Optional<ExitRecord> exit = next.ended();
        if (exit.isPresent()) {
            for (ExitWaiter waiter : waiters) {
                outbox.add(() -> waiter.ended(exit.get()));
            }
            waiters.clear();
        }
    }

    @GuardedBy("lock")
    private void publish(TaskEvent event) {
        outbox.add(() -> sink.publish(config.key(), event));
    }

    private void logState(TaskState next) {
        ContainerKey key = config.key();
        var line =
                (next instanceof Starting || next instanceof Deleting
                                ? LOGGER.atDebug()
                                : LOGGER.atInfo())
                        .addKeyValue(LogKeys.NAMESPACE, key.namespace())
                        .addKeyValue(LogKeys.CONTAINER_ID, key.id())
                        .addKeyValue(LogKeys.STATE, next.word());
        if (config.isExec()) {
            line = line.addKeyValue(LogKeys.EXEC_ID, config.execId());
        }
        if (next instanceof Stopped stopped) {
            line = line.addKeyValue(LogKeys.EXIT_STATUS, stopped.exit().status());
        }
        line.log("task changed");
    }

    @GuardedBy("lock")
    private FailedPrecondition refused(String operation, String expected) {
        return new FailedPrecondition(
                "%s %s: expected state %s, was %s"
                        .formatted(operation, config.words(), expected, state.word()));
    }

    private NotFound gone() {
        return new NotFound("%s: deleted".formatted(config.words()));
    }
}
