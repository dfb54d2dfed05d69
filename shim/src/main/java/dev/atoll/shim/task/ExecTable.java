package dev.atoll.shim.task;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.shim.status.AlreadyExists;
import dev.atoll.shim.status.FailedPrecondition;
import dev.atoll.shim.status.NotFound;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/// What is executed in one container, from `Exec` to `Delete`. Thread-safe: guarded by `lock`,
/// under which nothing is called.
final class ExecTable {
    private static final int SIGKILL = 9;

    private final Object lock = new Object();

    @GuardedBy("lock")
    private final Map<String, TaskLifecycle> execs = new LinkedHashMap<>();

    @GuardedBy("lock")
    private boolean closed;

    /// @throws AlreadyExists if the id is in use
    /// @throws FailedPrecondition if the container has ended
    void add(TaskLifecycle exec) {
        TaskConfig config = exec.config();
        synchronized (lock) {
            if (closed) {
                throw new FailedPrecondition(
                        "%s: the container does not run any more".formatted(config.words()));
            }
            if (execs.putIfAbsent(config.execId(), exec) != null) {
                throw new AlreadyExists(
                        "%s exists already: delete it first, or choose another id"
                                .formatted(config.words()));
            }
        }
    }

    /// @throws NotFound if there is none with this id
    TaskLifecycle get(String container, String execId) {
        synchronized (lock) {
            TaskLifecycle exec = execs.get(execId);
            if (exec == null) {
                throw new NotFound("container %s has no exec %s".formatted(container, execId));
            }
            return exec;
        }
    }

    /// Removes `exec`, but not one that took its id since.
    void remove(TaskLifecycle exec) {
        synchronized (lock) {
            execs.remove(exec.config().execId(), exec);
        }
    }

    List<TaskLifecycle> all() {
        synchronized (lock) {
            return List.copyOf(execs.values());
        }
    }

    /// Ends whatever is executed, and accepts nothing more. Does not block.
    ///
    /// @param then called once, when the last of them has ended and its events are published
    void end(Runnable then) {
        synchronized (lock) {
            closed = true;
        }
        List<TaskLifecycle> left = all();
        AtomicInteger waiting = new AtomicInteger(left.size() + 1);
        Runnable ended =
                () -> {
                    if (waiting.decrementAndGet() == 0) {
                        then.run();
                    }
                };
        left.forEach(exec -> exec.onExit(new Told(ended)));
        signal(SIGKILL);
        ended.run();
    }

    /// Sends a signal to all that have not ended.
    void signal(int signal) {
        for (TaskLifecycle exec : all()) {
            try {
                exec.kill(signal);
            } catch (NotFound | WorkloadEnded _) {
                // It has ended meanwhile.
            }
        }
    }

    /// Releases everything without events.
    void forget() {
        synchronized (lock) {
            closed = true;
        }
        all().forEach(exec -> {
            var _ = exec.forget();
            remove(exec);
        });
    }

    private record Told(Runnable ended) implements ExitWaiter {
        @Override
        public void ended(ExitRecord exit) {
            ended.run();
        }

        @Override
        public boolean isAbandoned() {
            return false;
        }
    }
}
