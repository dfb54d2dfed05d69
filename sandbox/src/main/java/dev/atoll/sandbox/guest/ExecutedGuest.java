package dev.atoll.sandbox.guest;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A command in a container. It runs from the moment it is started, though its program may still
/// have to be found and compiled, on a thread of its own: so a signal ends it at any time. Code
/// that is compiled for a command which was killed meanwhile stays in the cache.
///
/// Thread-safe by one lock, under which guests are made to start or end but no callback is made.
final class ExecutedGuest implements Workload {
    private static final Logger LOGGER = LoggerFactory.getLogger(ExecutedGuest.class);
    private static final int SIGKILL = 9;

    /// Makes the guest of a command, not started; blocks.
    interface Loader {
        /// @throws RuntimeException if not even a guest that says why can be made
        Workload load(ExecRequest request);
    }

    private final ExecRequest request;
    private final Loader loader;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private State state = new Created();

    @GuardedBy("lock")
    private boolean stdinClosed;

    @GuardedBy("lock")
    private Optional<TerminalSize> size = Optional.empty();

    private sealed interface State {}

    private record Created() implements State {}

    /// @param streams belong to whoever moves the state on
    private record Loading(Consumer<WorkloadEnd> onEnd, HeldStreams streams) implements State {
        /// For whoever moved the state on, without the lock: the streams are closed before the end
        /// is told.
        void endWith(WorkloadEnd end) {
            streams.close();
            onEnd.accept(end);
        }
    }

    /// The guest's own state tells the rest.
    private record Loaded(Workload guest) implements State {}

    /// It ended without a guest.
    private record Ended() implements State {}

    private record Closed() implements State {}

    ExecutedGuest(ExecRequest request, Loader loader) {
        this.request = request;
        this.loader = loader;
    }

    @Override
    public void start(Consumer<WorkloadEnd> onEnd) {
        HeldStreams streams = HeldStreams.open(request.stdio());
        try {
            synchronized (lock) {
                state =
                        switch (state) {
                            case Created created -> new Loading(onEnd, streams);
                            case Loading loading -> throw startedTwice();
                            case Loaded loaded -> throw startedTwice();
                            case Ended ended -> throw over();
                            case Closed closed -> throw over();
                        };
            }
        } catch (SandboxException e) {
            streams.close();
            throw e;
        }
        Thread.ofVirtual().name("exec-load").start(this::load);
    }

    private void load() {
        Optional<Workload> unused = Optional.empty();
        try {
            Workload guest = loader.load(request);
            unused = Optional.of(guest);
            if (begin(guest)) {
                return;
            }
        } catch (RuntimeException | Error e) {
            LOGGER.atError()
                    .addKeyValue("exec", request.id())
                    .setCause(e)
                    .log("a command could not be run");
            fail(new WorkloadEnd.Failed(String.valueOf(e.getMessage())));
        }
        unused.ifPresent(Workload::close);
    }

    /// @return whether it runs; false if the command has ended meanwhile
    private boolean begin(Workload guest) {
        synchronized (lock) {
            if (!(state instanceof Loading loading)) {
                return false;
            }
            // The guest has opened them, too. It must not take these for a reader when it ends.
            loading.streams().close();
            guest.start(loading.onEnd());
            state = new Loaded(guest);
            if (stdinClosed) {
                guest.closeStdin();
            }
            if (size.isPresent()) {
                guest.resize(size.get());
            }
        }
        return true;
    }

    private void fail(WorkloadEnd.Failed end) {
        Optional<Loading> cut = Optional.empty();
        synchronized (lock) {
            if (state instanceof Loading loading) {
                cut = Optional.of(loading);
                state = new Ended();
            }
        }
        cut.ifPresent(loading -> loading.endWith(end));
    }

    @Override
    public void signal(int signal) {
        boolean ends = SignalAction.of(signal) == SignalAction.END;
        Optional<Loading> cut = Optional.empty();
        Optional<Workload> guest = Optional.empty();
        synchronized (lock) {
            switch (state) {
                case Created created -> {
                    if (ends) {
                        state = new Ended();
                    }
                }
                case Loading loading -> {
                    if (ends) {
                        cut = Optional.of(loading);
                        state = new Ended();
                    }
                }
                case Loaded loaded -> guest = Optional.of(loaded.guest());
                case Ended ended -> throw over();
                case Closed closed -> throw over();
            }
        }
        cut.ifPresent(loading -> loading.endWith(new WorkloadEnd.Signalled(signal)));
        guest.ifPresent(loaded -> loaded.signal(signal));
    }

    @Override
    public void closeStdin() {
        synchronized (lock) {
            stdinClosed = true;
            if (state instanceof Loaded loaded) {
                loaded.guest().closeStdin();
            }
        }
    }

    @Override
    public void resize(TerminalSize changed) {
        if (!request.process().terminal()) {
            throw new InvalidWorkload(
                    "exec %s has no terminal, so no size of one".formatted(request.id()));
        }
        synchronized (lock) {
            size = Optional.of(changed);
            if (state instanceof Loaded loaded) {
                loaded.guest().resize(changed);
            }
        }
    }

    @Override
    public void update(Resources resources) {
        throw new InvalidWorkload(
                "exec %s has no limits of its own: update its container".formatted(request.id()));
    }

    @Override
    public Workload exec(ExecRequest inner) {
        throw new InvalidWorkload(
                "exec %s is itself a command in a container, in which none can be executed"
                        .formatted(request.id()));
    }

    @Override
    public WorkloadUsage usage() {
        return guest().map(Workload::usage).orElse(WorkloadUsage.NONE);
    }

    @Override
    public WorkloadDescription description() {
        return guest().map(Workload::description)
                .orElseGet(() -> new WorkloadDescription("", "", "", false));
    }

    private Optional<Workload> guest() {
        synchronized (lock) {
            return state instanceof Loaded loaded ? Optional.of(loaded.guest()) : Optional.empty();
        }
    }

    @Override
    public void close() {
        Optional<Loading> cut = Optional.empty();
        Optional<Workload> guest = Optional.empty();
        synchronized (lock) {
            switch (state) {
                case Loading loading -> cut = Optional.of(loading);
                case Loaded loaded -> guest = Optional.of(loaded.guest());
                case Created created -> {}
                case Ended ended -> {}
                case Closed closed -> {}
            }
            state = new Closed();
        }
        cut.ifPresent(loading -> loading.endWith(new WorkloadEnd.Signalled(SIGKILL)));
        guest.ifPresent(Workload::close);
    }

    private SandboxFailure startedTwice() {
        return new SandboxFailure("exec %s is running already".formatted(request.id()));
    }

    private WorkloadEnded over() {
        return new WorkloadEnded("exec %s has ended".formatted(request.id()));
    }
}
