package dev.atoll.shim.task;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs effects one after the other, in the order in which they were added, outside of the lock
/// under which they were added. Thread-safe.
final class Outbox {
    private static final Logger LOGGER = LoggerFactory.getLogger(Outbox.class);

    private final Queue<Runnable> effects = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger();

    void add(Runnable effect) {
        effects.add(effect);
    }

    /// Runs what was added; if another thread is at it, that thread does.
    void drain() {
        if (pending.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            for (Runnable next = effects.poll(); next != null; next = effects.poll()) {
                run(next);
            }
            seen = pending.addAndGet(-seen);
        } while (seen != 0);
    }

    private static void run(Runnable effect) {
        try {
            effect.run();
        } catch (RuntimeException e) {
            LOGGER.atError().setCause(e).log("effect of a task's transition failed");
        }
    }
}
