package dev.atoll.sandbox.code;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.sandbox.SandboxFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Modules in memory, shared and counted. Thread-safe; nothing is loaded or closed under the lock.
///
/// One that nobody uses stays until `maxIdle` others were used after it. Concurrent first uses of a
/// key load once; if that fails, all who waited get the failure, and the next one tries again.
final class LoadedModules<M> {
    private final int maxIdle;
    private final Duration deadline;
    private final Consumer<M> closer;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private final Map<String, Entry<M>> entries = new HashMap<>();

    /// In the order in which they became idle.
    @GuardedBy("lock")
    private final Map<String, Entry<M>> idle = new LinkedHashMap<>();

    @GuardedBy("lock")
    private final Map<String, CompletableFuture<Boolean>> flights = new HashMap<>();

    @GuardedBy("lock")
    private boolean closed;

    LoadedModules(int maxIdle, Duration deadline, Consumer<M> closer) {
        this.maxIdle = maxIdle;
        this.deadline = deadline;
        this.closer = closer;
    }

    /// @param hit whether nothing had to be compiled
    record Loaded<M>(M module, boolean hit) {}

    private static final class Entry<M> {
        final M module;
        int uses = 1;

        Entry(M module) {
            this.module = module;
        }
    }

    /// A use of a module. Closing is idempotent.
    final class Lease implements AutoCloseable {
        private final String key;
        private final Entry<M> entry;
        private final boolean hit;

        @GuardedBy("lock")
        private boolean released;

        private Lease(String key, Entry<M> entry, boolean hit) {
            this.key = key;
            this.entry = entry;
            this.hit = hit;
        }

        M module() {
            return entry.module;
        }

        boolean hit() {
            return hit;
        }

        @Override
        public void close() {
            List<M> surplus;
            synchronized (lock) {
                if (released) {
                    return;
                }
                released = true;
                surplus = release(key, entry);
            }
            surplus.forEach(closer);
        }
    }

    /// @param loader called by at most one thread at a time for a key
    Lease acquire(String key, Supplier<Loaded<M>> loader) {
        boolean waited = false;
        while (true) {
            CompletableFuture<Boolean> flight = new CompletableFuture<>();
            CompletableFuture<Boolean> other;
            synchronized (lock) {
                if (closed) {
                    throw new SandboxFailure("the sandbox is closed: no program can be loaded");
                }
                Entry<M> entry = entries.get(key);
                if (entry != null) {
                    entry.uses++;
                    idle.remove(key);
                    return new Lease(key, entry, !waited);
                }
                other = flights.putIfAbsent(key, flight);
            }
            if (other == null) {
                return load(key, loader, flight);
            }
            await(other);
            waited = true;
        }
    }

    private Lease load(String key, Supplier<Loaded<M>> loader, CompletableFuture<Boolean> flight) {
        Loaded<M> loaded;
        try {
            loaded = loader.get();
        } catch (RuntimeException | Error e) {
            synchronized (lock) {
                flights.remove(key);
            }
            flight.completeExceptionally(e);
            throw e;
        }
        Entry<M> entry = new Entry<>(loaded.module());
        synchronized (lock) {
            flights.remove(key);
            entries.put(key, entry);
        }
        flight.complete(true);
        return new Lease(key, entry, loaded.hit());
    }

    private void await(CompletableFuture<Boolean> flight) {
        try {
            flight.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new SandboxFailure("a program could not be loaded", e);
            }
        } catch (TimeoutException e) {
            throw new SandboxFailure(
                    "the program was not compiled within %d s: try again, or raise the deadline"
                            .formatted(deadline.toSeconds()),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxFailure("interrupted while a program was compiled", e);
        }
    }

    @GuardedBy("lock")
    private List<M> release(String key, Entry<M> entry) {
        entry.uses--;
        if (entry.uses > 0) {
            return List.of();
        }
        idle.put(key, entry);
        return trim(closed ? 0 : maxIdle);
    }

    @GuardedBy("lock")
    private List<M> trim(int keep) {
        List<M> surplus = new ArrayList<>();
        while (idle.size() > keep) {
            String eldest = idle.keySet().iterator().next();
            Entry<M> removed = idle.remove(eldest);
            entries.remove(eldest);
            if (removed != null) {
                surplus.add(removed.module);
            }
        }
        return surplus;
    }

    /// Closes what is idle now, and what is in use once it is released.
    void close() {
        List<M> surplus;
        synchronized (lock) {
            closed = true;
            surplus = trim(0);
        }
        surplus.forEach(closer);
    }
}
