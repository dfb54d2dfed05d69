package dev.atoll.shim.testing;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.CpuThrottling;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.NetworkUsage;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.ServerUsage;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A workload that ends when the test, or a signal, says so.
public final class FakeWorkload implements Workload {
    /// What [#start] does.
    public enum Start {
        RUNS,
        ENDS_AT_ONCE,
        FAILS
    }

    public final List<Integer> signals = new CopyOnWriteArrayList<>();
    public final List<TerminalSize> sizes = new CopyOnWriteArrayList<>();
    public final List<ExecRequest> requests = new CopyOnWriteArrayList<>();
    private final Map<String, FakeWorkload> commands = new ConcurrentHashMap<>();
    public final List<Resources> updates = new CopyOnWriteArrayList<>();
    private final Start start;
    private final boolean pause;
    private @Nullable Consumer<WorkloadEnd> onEnd;
    private boolean ended;
    private volatile boolean closed;
    private volatile boolean stdinClosed;

    public FakeWorkload(Start start, boolean pause) {
        this.start = start;
        this.pause = pause;
    }

    @Override
    public synchronized void start(Consumer<WorkloadEnd> onEnd) {
        switch (start) {
            case FAILS -> throw new SandboxFailure("no slot");
            case RUNS -> this.onEnd = onEnd;
            case ENDS_AT_ONCE -> {
                this.onEnd = onEnd;
                end(new WorkloadEnd.Exited(0));
            }
        }
    }

    public synchronized void end(WorkloadEnd end) {
        Consumer<WorkloadEnd> listener = onEnd;
        if (listener != null && !ended) {
            ended = true;
            listener.accept(end);
        }
    }

    @Override
    public synchronized void signal(int signal) {
        if (ended || closed) {
            throw new WorkloadEnded("it has ended");
        }
        signals.add(signal);
        if (signal == 9 || signal == 15) {
            end(new WorkloadEnd.Signalled(signal));
        }
    }

    @Override
    public synchronized void update(Resources resources) {
        if (ended || closed) {
            throw new WorkloadEnded("it has ended");
        }
        updates.add(resources);
    }

    @Override
    public void closeStdin() {
        stdinClosed = true;
    }

    @Override
    public void resize(TerminalSize size) {
        sizes.add(size);
    }

    @Override
    public Workload exec(ExecRequest request) {
        FakeWorkload command = new FakeWorkload(Start.RUNS, false);
        commands.put(request.id(), command);
        requests.add(request);
        return command;
    }

    /// What was executed in it.
    public FakeWorkload command(String id) {
        return Objects.requireNonNull(commands.get(id), () -> "no exec " + id);
    }

    public boolean isStdinClosed() {
        return stdinClosed;
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public WorkloadUsage usage() {
        return new WorkloadUsage(
                5_000_000,
                65_536,
                131_072,
                262_144,
                22,
                new CpuThrottling(19, 20, 21_000),
                new ServerUsage(11, 12, 13, 14, 15, 16),
                new NetworkUsage(17, 18));
    }

    @Override
    public WorkloadDescription description() {
        return pause
                ? new WorkloadDescription("pause", "", "", true)
                : new WorkloadDescription("module", "server", "/app.wasm", true);
    }

    @Override
    public void close() {
        end(new WorkloadEnd.Signalled(9));
        closed = true;
    }
}
