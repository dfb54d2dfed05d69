package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.WorkloadEnded;

/// An instance of a program. Thread-safe; nothing here waits for it. Its end comes to the consumer
/// given to [Engine#guest].
public final class Guest implements AutoCloseable {
    private final EngineLibrary library;
    private final Handle handle;
    private final String name;

    Guest(EngineLibrary library, long id, String name) {
        this.library = library;
        this.handle = new Handle("a guest", id);
        this.name = name;
    }

    public void start() {
        library.call(EngineFunction.GUEST_START, id(), 0, "");
    }

    /// Ends it at once, also in a loop, a sleep or a host call, and also before it was started.
    ///
    /// @param signal comes back in [EngineEvent.GuestSignalled]
    /// @throws WorkloadEnded if it has ended
    public void kill(int signal) {
        library.call(EngineFunction.GUEST_KILL, id(), signal, "");
    }

    /// Lets the guest see the end of its input once every other writer is gone.
    public void closeStdin() {
        library.call(EngineFunction.GUEST_CLOSE_STDIN, id(), 0, "");
    }

    public GuestStatistics statistics() {
        long[] numbers = library.numbers(EngineFunction.GUEST_STAT, id(), GuestStatistics.NUMBERS);
        return new GuestStatistics(
                numbers[0],
                numbers[1],
                numbers[2],
                numbers[3],
                numbers[4],
                numbers[5],
                numbers[6],
                numbers[7]);
    }

    /// The text of its trap or failure; empty where there is none.
    public String text() {
        return library.text(EngineFunction.GUEST_TEXT, id());
    }

    /// Releases everything of a guest that has ended or was never started. Idempotent.
    ///
    /// @throws WorkloadEnded if it is running; it stays as it is
    @Override
    public void close() {
        handle.release(id -> library.call(EngineFunction.GUEST_DROP, id, 0, ""));
    }

    private long id() {
        if (handle.isReleased()) {
            throw new WorkloadEnded("%s was closed".formatted(name));
        }
        return handle.id();
    }
}
