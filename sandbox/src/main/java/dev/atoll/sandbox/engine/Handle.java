package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.SandboxException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/// Owns one native id. Thread-safe: ids are never reused, so a call that loses the race against
/// [#release] is refused by the engine and touches nothing.
final class Handle {
    private final String what;
    private final AtomicLong id;

    Handle(String what, long id) {
        this.what = what;
        this.id = new AtomicLong(id);
    }

    /// @throws IllegalStateException after [#release]
    long id() {
        long value = id.get();
        if (value == 0) {
            throw new IllegalStateException("%s was used after it was closed".formatted(what));
        }
        return value;
    }

    boolean isReleased() {
        return id.get() == 0;
    }

    /// Gives the id to `drop` the first time, and does nothing then on; a drop that failed may be
    /// tried again.
    void release(LongConsumer drop) {
        long value = id.getAndSet(0);
        if (value == 0) {
            return;
        }
        try {
            drop.accept(value);
        } catch (SandboxException e) {
            id.set(value);
            throw e;
        }
    }
}
