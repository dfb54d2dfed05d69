package dev.atoll.sandbox.guest;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.CpuThrottling;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.NetworkUsage;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.ServerUsage;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import dev.atoll.sandbox.engine.EngineEvent.GuestEnd;
import dev.atoll.sandbox.engine.EngineEvent.GuestExited;
import dev.atoll.sandbox.engine.EngineEvent.GuestFailed;
import dev.atoll.sandbox.engine.EngineEvent.GuestOutOfMemory;
import dev.atoll.sandbox.engine.EngineEvent.GuestSignalled;
import dev.atoll.sandbox.engine.EngineEvent.GuestTrapped;
import dev.atoll.sandbox.engine.Guest;
import dev.atoll.sandbox.engine.GuestStatistics;
import dev.atoll.sandbox.guest.GuestState.Closed;
import dev.atoll.sandbox.guest.GuestState.Closing;
import dev.atoll.sandbox.guest.GuestState.Created;
import dev.atoll.sandbox.guest.GuestState.Ended;
import dev.atoll.sandbox.guest.GuestState.Ending;
import dev.atoll.sandbox.guest.GuestState.Running;
import dev.atoll.sandbox.guest.GuestState.Stopping;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A wasm program as a container. Thread-safe by one lock, under which the engine is asked (it
/// never waits and never calls back) but no callback is made.
final class WasmGuest implements Workload {
    private static final Logger LOGGER = LoggerFactory.getLogger(WasmGuest.class);
    private static final int SIGKILL = 9;

    private final String name;
    private final WorkloadDescription description;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private GuestState state = new Created();

    /// Guest, code and view; belongs to whoever moved the state to [Closed].
    private final Closers resources;

    private final GuestDefaults defaults;
    private final Guest guest;
    private final CommandMaker commands;

    /// Makes commands that run beside this guest.
    interface CommandMaker {
        /// @param beside the engine's guest
        Workload make(ExecRequest request, Guest beside);
    }

    /// Of a guest that is a command itself.
    static final CommandMaker NO_COMMANDS =
            (request, beside) -> {
                throw new InvalidWorkload(
                        "exec %s: none can be executed in another".formatted(request.id()));
            };

    /// @param resources what the guest is made of so far; it is closed with the guest
    /// @param maker makes the guest, not started, that reports its end to the given consumer
    WasmGuest(
            String name,
            WorkloadDescription description,
            Closers resources,
            GuestDefaults defaults,
            CommandMaker commands,
            Function<Consumer<GuestEnd>, Guest> maker) {
        this.name = name;
        this.description = description;
        this.resources = resources;
        this.defaults = defaults;
        this.commands = commands;
        this.guest = maker.apply(this::ended);
        resources.add(guest::close);
    }

    @Override
    public void start(Consumer<WorkloadEnd> onEnd) {
        synchronized (lock) {
            switch (state) {
                case Created created -> {
                    guest.start();
                    state = new Running(onEnd);
                }
                case Ending ending -> throw endedEarly();
                case Ended ended -> throw endedEarly();
                case Running running -> throw startedTwice();
                case Stopping stopping -> throw startedTwice();
                case Closing closing -> throw closed();
                case Closed closed -> throw closed();
            }
        }
    }

    @Override
    public void signal(int signal) {
        SignalAction action = SignalAction.of(signal);
        synchronized (lock) {
            switch (state) {
                case Created created -> {
                    if (action == SignalAction.END) {
                        guest.kill(signal);
                        state = new Ending();
                    }
                }
                case Running running -> {
                    if (action == SignalAction.END) {
                        ask(signal);
                        state = new Stopping(running.onEnd());
                    }
                }
                case Stopping stopping -> {
                    // Only the one that no process survives cuts short what the first one began.
                    if (signal == SIGKILL) {
                        guest.kill(signal);
                    }
                }
                case Ending ending -> {
                    // It ends by the first signal; more of them change nothing.
                }
                case Ended ended -> throw endedWith(ended.end());
                case Closing closing -> throw closed();
                case Closed closed -> throw closed();
            }
        }
    }

    private void ask(int signal) {
        if (signal == SIGKILL) {
            guest.kill(signal);
        } else {
            guest.stop(signal);
        }
    }

    @Override
    public void closeStdin() {
        synchronized (lock) {
            switch (state) {
                case Created created -> guest.closeStdin();
                case Running running -> unlessEnded(guest::closeStdin);
                case Stopping stopping -> unlessEnded(guest::closeStdin);
                case Ending ending -> {}
                case Ended ended -> {}
                case Closing closing -> {}
                case Closed closed -> {}
            }
        }
    }

    @Override
    public void resize(TerminalSize size) {
        synchronized (lock) {
            switch (state) {
                case Created created -> guest.resize(size);
                case Running running -> unlessEnded(() -> guest.resize(size));
                case Stopping stopping -> unlessEnded(() -> guest.resize(size));
                case Ending ending -> {}
                case Ended ended -> {}
                case Closing closing -> {}
                case Closed closed -> {}
            }
        }
    }

    @Override
    public Workload exec(ExecRequest request) {
        synchronized (lock) {
            switch (state) {
                case Running running -> {}
                case Stopping stopping -> {}
                case Created created ->
                        throw new WorkloadEnded("%s has not been started".formatted(name));
                case Ending ending -> throw endedEarly();
                case Ended ended -> throw endedWith(ended.end());
                case Closing closing -> throw closed();
                case Closed closed -> throw closed();
            }
        }
        return commands.make(request, guest);
    }

    @Override
    public void update(Resources asked) {
        Resources limits = defaults.update(asked);
        synchronized (lock) {
            switch (state) {
                case Created created -> guest.update(limits);
                case Running running -> guest.update(limits);
                case Stopping stopping -> guest.update(limits);
                case Ending ending -> throw endedEarly();
                case Ended ended -> throw endedWith(ended.end());
                case Closing closing -> throw closed();
                case Closed closed -> throw closed();
            }
        }
    }

    @Override
    public WorkloadUsage usage() {
        synchronized (lock) {
            return switch (state) {
                case Created created -> measured();
                case Running running -> measured();
                case Stopping stopping -> measured();
                case Ending ending -> measured();
                case Ended ended -> ended.usage();
                case Closing closing -> WorkloadUsage.NONE;
                case Closed closed -> WorkloadUsage.NONE;
            };
        }
    }

    @Override
    public WorkloadDescription description() {
        return description;
    }

    @Override
    public void close() {
        boolean release = false;
        synchronized (lock) {
            switch (state) {
                case Created created -> {
                    state = new Closed();
                    release = true;
                }
                case Ended ended -> {
                    state = new Closed();
                    release = true;
                }
                case Running running -> killAndClose(running.onEnd());
                case Stopping stopping -> killAndClose(stopping.onEnd());
                case Ending ending -> state = new Closing(ignored -> {});
                case Closing closing -> {}
                case Closed closed -> {}
            }
        }
        if (release) {
            resources.close();
        }
    }

    /// The engine's end of this guest; once, on the event thread.
    private void ended(GuestEnd event) {
        Consumer<WorkloadEnd> onEnd = ignored -> {};
        WorkloadEnd end = end(event);
        WorkloadUsage usage = inTheEnd(event);
        boolean release = false;
        synchronized (lock) {
            Ended next = new Ended(end, usage);
            switch (state) {
                case Running running -> {
                    onEnd = running.onEnd();
                    state = next;
                }
                case Stopping stopping -> {
                    onEnd = stopping.onEnd();
                    state = next;
                }
                case Created created -> state = next;
                case Ending ending -> state = next;
                case Closing closing -> {
                    onEnd = closing.onEnd();
                    state = new Closed();
                    release = true;
                }
                case Ended ended -> logUnexpected(event);
                case Closed closed -> logUnexpected(event);
            }
        }
        if (release) {
            releaseOnEventThread();
        }
        onEnd.accept(end);
    }

    @GuardedBy("lock")
    private void killAndClose(Consumer<WorkloadEnd> onEnd) {
        state = new Closing(onEnd);
        try {
            guest.kill(SIGKILL);
        } catch (WorkloadEnded e) {
            LOGGER.atDebug()
                    .addKeyValue("guest", name)
                    .log("the guest ended by itself while it was closed");
        }
    }

    /// The engine is done with the guest already; its end is about to be reported.
    private void unlessEnded(Runnable change) {
        try {
            change.run();
        } catch (WorkloadEnded e) {
            LOGGER.atDebug()
                    .addKeyValue("guest", name)
                    .log("the guest ended while its streams were changed");
        }
    }

    private void releaseOnEventThread() {
        try {
            resources.close();
        } catch (RuntimeException e) {
            LOGGER.atError()
                    .addKeyValue("guest", name)
                    .setCause(e)
                    .log("an ended guest could not be released");
        }
    }

    private WorkloadUsage measured() {
        GuestStatistics statistics = guest.statistics();
        return new WorkloadUsage(
                statistics.cpuNanos(),
                statistics.memoryBytes(),
                statistics.peakMemoryBytes(),
                statistics.memoryLimit(),
                statistics.outOfMemoryKills(),
                new CpuThrottling(
                        statistics.cpuPeriods(),
                        statistics.throttledPeriods(),
                        statistics.throttledNanos()),
                new ServerUsage(
                        statistics.answeredRequests(),
                        statistics.trappedRequests(),
                        statistics.refusedRequests(),
                        statistics.requestsInProgress(),
                        statistics.openConnections(),
                        statistics.instances()),
                new NetworkUsage(statistics.openSockets(), statistics.policyRefusals()));
    }

    /// What stays of it: sums, and nothing that is open.
    private WorkloadUsage inTheEnd(GuestEnd event) {
        WorkloadUsage last = WorkloadUsage.NONE;
        try {
            last = measured();
        } catch (SandboxException e) {
            LOGGER.atDebug()
                    .addKeyValue("guest", name)
                    .setCause(e)
                    .log("an ended guest could not be measured");
        }
        return new WorkloadUsage(
                event.times().cpuNanos(),
                0,
                event.times().peakMemoryBytes(),
                last.memoryLimit(),
                last.outOfMemoryKills(),
                last.throttling(),
                new ServerUsage(
                        last.server().requests(),
                        last.server().trapped(),
                        last.server().refused(),
                        0,
                        0,
                        0),
                new NetworkUsage(0, last.network().policyRefusals()));
    }

    private WorkloadEnd end(GuestEnd event) {
        return switch (event) {
            case GuestExited exited -> new WorkloadEnd.Exited(exited.exitStatus());
            case GuestTrapped trapped -> new WorkloadEnd.Trapped(guest.text());
            case GuestOutOfMemory outOfMemory -> new WorkloadEnd.OutOfMemory();
            case GuestSignalled signalled -> new WorkloadEnd.Signalled(signalled.signal());
            case GuestFailed failed -> new WorkloadEnd.Failed(guest.text());
        };
    }

    private void logUnexpected(GuestEnd event) {
        LOGGER.atError()
                .addKeyValue("guest", name)
                .addKeyValue("event", event)
                .log("the engine reported the end of a guest twice");
    }

    private WorkloadEnded endedWith(WorkloadEnd end) {
        return new WorkloadEnded("%s has ended with status %d".formatted(name, end.exitStatus()));
    }

    private WorkloadEnded endedEarly() {
        return new WorkloadEnded("%s was ended by a signal before it was started".formatted(name));
    }

    private SandboxFailure startedTwice() {
        return new SandboxFailure("%s is running already".formatted(name));
    }

    private WorkloadEnded closed() {
        return new WorkloadEnded("%s was closed".formatted(name));
    }
}
