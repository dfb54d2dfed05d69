package dev.atoll.e2e;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;

/// Pods that run a hostile container, and run it again whenever it ends, as a kubelet would, until
/// the assault is closed.
///
/// Thread-safe.
final class Assault implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    private final TestNode on;
    private final ContainerRequest container;
    private final List<Thread> attackers;
    private final Collection<String> ends = new ConcurrentLinkedQueue<>();
    private final Collection<Throwable> failures = new ConcurrentLinkedQueue<>();

    @GuardedBy("this")
    private final List<PodContainer> running = new ArrayList<>();

    @GuardedBy("this")
    private boolean over;

    private Assault(TestNode on, ContainerRequest container, int pods) {
        this.on = on;
        this.container = container;
        this.attackers = new ArrayList<>();
        for (int i = 0; i < pods; i++) {
            attackers.add(Thread.ofVirtual().name("attacker-" + i).unstarted(this::attack));
        }
    }

    static Assault start(TestNode on, ContainerRequest container, int pods) {
        var assault = new Assault(on, container, pods);
        assault.attackers.forEach(Thread::start);
        return assault;
    }

    private void attack() {
        try (Pod pod = on.pod()) {
            while (!isOver()) {
                once(pod);
            }
        } catch (RuntimeException | Error e) {
            failures.add(e);
        }
    }

    private void once(Pod pod) {
        PodContainer attacker = pod.create(container);
        if (!begin(attacker)) {
            return;
        }
        try {
            attacker.start();
            if (isOver()) {
                attacker.stop(0);
            }
            ContainerStatus status = ended(attacker);
            ends.add(status.getReason() + " " + status.getExitCode());
        } catch (StatusRuntimeException e) {
            ends.add("refused: " + e.getStatus().getDescription());
        }
        // What the caller gave up may still be under way.
        Awaitility.await("the removal of an attacker")
                .atMost(DEADLINE)
                .ignoreException(StatusRuntimeException.class)
                .until(() -> {
                    attacker.remove();
                    return true;
                });
        forget(attacker);
    }

    private static ContainerStatus ended(PodContainer attacker) {
        return Awaitility.await("the end of an attacker")
                .atMost(DEADLINE)
                .pollInterval(Duration.ofMillis(100))
                .until(
                        attacker::status,
                        status -> status.getState() == ContainerState.CONTAINER_EXITED);
    }

    private synchronized boolean begin(PodContainer attacker) {
        if (!over) {
            running.add(attacker);
        }
        return !over;
    }

    private synchronized void forget(PodContainer attacker) {
        running.remove(attacker);
    }

    private synchronized boolean isOver() {
        return over;
    }

    /// Waits until each of the pods has run its container at least once, or is running it.
    void awaitFirst() {
        Awaitility.await("attackers")
                .atMost(DEADLINE)
                .until(() ->
                        running().size() + ends.size() >= attackers.size() || !failures.isEmpty());
    }

    private synchronized List<PodContainer> running() {
        return List.copyOf(running);
    }

    /// Returns how the containers ended so far: reason and exit code, or `refused:` and the
    /// sentence.
    List<String> ends() {
        return List.copyOf(ends);
    }

    /// Returns what went wrong with the attackers themselves.
    List<Throwable> failures() {
        return List.copyOf(failures);
    }

    /// Kills what runs and waits until all of it is gone.
    void end() {
        synchronized (this) {
            over = true;
        }
        running().forEach(Assault::stop);
        for (Thread attacker : attackers) {
            try {
                if (!attacker.join(DEADLINE)) {
                    throw new IllegalStateException(attacker.getName() + " did not end");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while attackers end", e);
            }
        }
    }

    private static void stop(PodContainer attacker) {
        try {
            attacker.stop(0);
        } catch (StatusRuntimeException e) {
            // It may have ended and been removed meanwhile.
            if (e.getStatus().getCode() != Status.Code.NOT_FOUND) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        end();
    }
}
