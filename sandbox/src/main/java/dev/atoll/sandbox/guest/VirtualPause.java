package dev.atoll.sandbox.guest;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.function.Consumer;

/// A pod's pause without a process: it lasts until a signal ends it. Thread-safe; has no thread,
/// and calls back on the thread that ends it.
final class VirtualPause implements Workload {
    private static final int SIGKILL = 9;

    private final Pods pods;
    private final Pod pod;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private State state = new Created();

    private sealed interface State {}

    private record Created() implements State {}

    private record Running(Consumer<WorkloadEnd> onEnd) implements State {}

    private record Ended() implements State {}

    private record Closed() implements State {}

    VirtualPause(Pods pods, Pod pod) {
        this.pods = pods;
        this.pod = pod;
    }

    @Override
    public void start(Consumer<WorkloadEnd> onEnd) {
        synchronized (lock) {
            state =
                    switch (state) {
                        case Created created -> new Running(onEnd);
                        case Running running ->
                                throw new SandboxFailure(name() + " is running already");
                        case Ended ended -> throw new WorkloadEnded(name() + " has ended");
                        case Closed closed -> throw new WorkloadEnded(name() + " was closed");
                    };
        }
    }

    @Override
    public void signal(int signal) {
        SignalAction action = SignalAction.of(signal);
        Consumer<WorkloadEnd> onEnd = ignored -> {};
        synchronized (lock) {
            switch (state) {
                case Created created -> {
                    if (action == SignalAction.END) {
                        state = new Ended();
                    }
                }
                case Running running -> {
                    if (action == SignalAction.END) {
                        onEnd = running.onEnd();
                        state = new Ended();
                    }
                }
                case Ended ended -> throw new WorkloadEnded(name() + " has ended");
                case Closed closed -> throw new WorkloadEnded(name() + " was closed");
            }
        }
        if (action == SignalAction.END) {
            onEnd.accept(new WorkloadEnd.Signalled(signal));
        }
    }

    /// It has no standard input.
    @Override
    public void closeStdin() {}

    /// It uses nothing, so there is nothing to limit.
    @Override
    public void update(Resources resources) {}

    @Override
    public void resize(TerminalSize size) {
        throw new InvalidWorkload(name() + " has no terminal, so no size of one");
    }

    @Override
    public Workload exec(ExecRequest request) {
        throw new InvalidWorkload(
                name()
                        + " has neither a process nor files in which a command could run: execute it in a container of the pod");
    }

    @Override
    public WorkloadUsage usage() {
        return WorkloadUsage.NONE;
    }

    @Override
    public WorkloadDescription description() {
        return new WorkloadDescription("pause", "", "", false);
    }

    @Override
    public void close() {
        Consumer<WorkloadEnd> onEnd = ignored -> {};
        synchronized (lock) {
            if (state instanceof Running running) {
                onEnd = running.onEnd();
            }
            state = new Closed();
        }
        pods.remove(pod);
        onEnd.accept(new WorkloadEnd.Signalled(SIGKILL));
    }

    private String name() {
        return "pod sandbox " + pod.sandbox();
    }
}
