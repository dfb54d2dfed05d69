package dev.atoll.shim.relay;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A value that the first who asks makes, while others wait for it; a failure is told to those, and
/// the next who asks tries again. Thread-safe; no lock is held while the value is made.
final class Once<T> {
    private final Supplier<T> maker;
    private final AtomicReference<Optional<FutureTask<T>>> task =
            new AtomicReference<>(Optional.empty());

    Once(Supplier<T> maker) {
        this.maker = maker;
    }

    T get() {
        for (; ; ) {
            Optional<FutureTask<T>> present = task.get();
            if (present.isPresent()) {
                return await(present);
            }
            FutureTask<T> fresh = new FutureTask<>(maker::get);
            Optional<FutureTask<T>> mine = Optional.of(fresh);
            if (task.compareAndSet(present, mine)) {
                fresh.run();
                return await(mine);
            }
        }
    }

    private T await(Optional<FutureTask<T>> present) {
        try {
            return present.orElseThrow().get();
        } catch (ExecutionException e) {
            task.compareAndSet(present, Optional.empty());
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while another thread made it", e);
        }
    }

    /// Takes the value out, so that the next who asks makes another. One that is just being made is
    /// waited for.
    void take(Consumer<T> end) {
        Optional<FutureTask<T>> present = task.getAndSet(Optional.empty());
        if (present.isPresent()) {
            try {
                end.accept(present.get().get());
            } catch (ExecutionException _) {
                // There is nothing to be ended: whoever asked was told.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
