package dev.atoll.sandbox.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Events of the native engine. Confined to the event thread.
final class NativeEvents implements EngineEvents.Source {
    private static final Logger LOGGER = LoggerFactory.getLogger(NativeEvents.class);

    /// A poll that fails for another reason than a closed engine is a bug; it must not become a
    /// busy loop.
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final EngineLibrary library;
    private final long engine;

    NativeEvents(EngineLibrary library, long engine) {
        this.library = library;
        this.engine = engine;
    }

    @Override
    public boolean poll(long waitMillis, Consumer<EngineEvent> sink) {
        try (EventBuffer buffer = new EventBuffer()) {
            long count = library.poll(engine, waitMillis, buffer);
            if (count == EngineError.NOT_FOUND.code()) {
                return false;
            }
            if (count < 0) {
                LOGGER.atError()
                        .addKeyValue("error", buffer.errorLine())
                        .log("polling the engine failed");
                LockSupport.parkNanos(PAUSE_NANOS);
                return true;
            }
            List<EngineEvent> events = new ArrayList<>((int) count);
            for (int i = 0; i < count; i++) {
                events.add(EngineEvent.decode(buffer.recordAt(i)));
            }
            events.forEach(sink);
            return true;
        }
    }
}
