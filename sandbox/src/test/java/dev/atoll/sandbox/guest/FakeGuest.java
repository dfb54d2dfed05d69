package dev.atoll.sandbox.guest;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.engine.EngineEvent.GuestEnd;
import dev.atoll.sandbox.engine.EngineEvent.GuestExited;
import dev.atoll.sandbox.engine.EngineEvent.GuestSignalled;
import dev.atoll.sandbox.engine.Guest;
import dev.atoll.sandbox.engine.GuestStatistics;
import dev.atoll.sandbox.engine.GuestTimes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// A server in the engine that goes on after it was asked to stop, until the test says that it is
/// done.
final class FakeGuest implements Guest {
    private static final GuestTimes TIMES = new GuestTimes(1, 2, 3, 4, 50, 60);

    private final Consumer<GuestEnd> onEnd;
    private final Runnable onStart;
    private boolean ended;

    /// What was asked of it, in order: `start`, `stop 15`, `kill 9`, `close`.
    final List<String> calls = new ArrayList<>();

    /// Makes `start` fail so.
    String startFailure = "";

    FakeGuest(Consumer<GuestEnd> onEnd) {
        this(onEnd, () -> {});
    }

    /// @param onStart called by each `start`
    FakeGuest(Consumer<GuestEnd> onEnd, Runnable onStart) {
        this.onEnd = onEnd;
        this.onStart = onStart;
    }

    /// Its last request is answered.
    void drained() {
        end(new GuestExited(1, 0, TIMES));
    }

    /// The event thread reports that the kill has been done.
    void killed(int signal) {
        end(new GuestSignalled(1, signal, TIMES));
    }

    private void end(GuestEnd end) {
        ended = true;
        onEnd.accept(end);
    }

    @Override
    public void start() {
        calls.add("start");
        onStart.run();
        if (!startFailure.isEmpty()) {
            throw new SandboxFailure(startFailure);
        }
    }

    @Override
    public void stop(int signal) {
        ask("stop " + signal);
    }

    @Override
    public void kill(int signal) {
        ask("kill " + signal);
    }

    private void ask(String call) {
        if (ended) {
            throw new WorkloadEnded("it has ended");
        }
        calls.add(call);
    }

    @Override
    public long id() {
        return 1;
    }

    @Override
    public void update(Resources limits) {
        ask("update " + limits.memoryLimit().orElse(0L));
    }

    @Override
    public void closeStdin() {
        calls.add("closeStdin");
    }

    @Override
    public void resize(TerminalSize size) {
        ask("resize %dx%d".formatted(size.columns(), size.rows()));
    }

    @Override
    public GuestStatistics statistics() {
        return new GuestStatistics(
                1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22);
    }

    @Override
    public String text() {
        return "";
    }

    @Override
    public void close() {
        calls.add("close");
    }
}
