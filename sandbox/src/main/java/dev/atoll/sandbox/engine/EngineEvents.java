package dev.atoll.sandbox.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands the engine's events to whoever waits for them, on one platform thread (a virtual one would
/// keep its carrier for the whole wait). Thread-safe.
///
/// An id becomes known only when the native call that made it returns, by which time its event may
/// have come: events without a receiver are kept until one registers.
final class EngineEvents {
    private static final Logger LOGGER = LoggerFactory.getLogger(EngineEvents.class);
    private static final long WAIT_MILLIS = 1_000;

    /// Registration follows creation at once, so that only events of things dropped before their
    /// event stay here.
    private static final int MAX_UNCLAIMED = 1_024;

    private final Source source;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private final Map<Long, Consumer<EngineEvent>> receivers = new HashMap<>();

    @GuardedBy("lock")
    private final Map<Long, EngineEvent> unclaimed = new LinkedHashMap<>();

    private final Thread thread;
    private volatile boolean closing;

    /// Where events come from: the engine, or a list in a test.
    interface Source {
        /// Waits up to `waitMillis` and gives each event to `sink`.
        ///
        /// @return false once no event can come any more
        boolean poll(long waitMillis, Consumer<EngineEvent> sink);
    }

    EngineEvents(Source source) {
        this.source = source;
        this.thread =
                Thread.ofPlatform()
                        .name("engine-events")
                        .daemon()
                        .uncaughtExceptionHandler((ignored, failure) ->
                                LOGGER.atError().setCause(failure).log("event thread died"))
                        .unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /// `receiver` gets the one event of `id`, on the event thread, or on the caller's if it came
    /// already.
    void register(long id, Consumer<EngineEvent> receiver) {
        EngineEvent early;
        synchronized (lock) {
            early = unclaimed.remove(id);
            if (early == null) {
                receivers.put(id, receiver);
            }
        }
        if (early != null) {
            deliver(receiver, early);
        }
    }

    /// Ends the thread once the source says that no event can come any more, or at the latest after
    /// `deadline`.
    ///
    /// @return whether it ended in time
    boolean close(Duration deadline) {
        closing = true;
        try {
            return thread.join(deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    void dispatch(EngineEvent event) {
        if (event instanceof EngineEvent.Unknown unknown) {
            LOGGER.atError()
                    .addKeyValue("kind", unknown.kind())
                    .log("the engine reported an event of an unknown kind");
            return;
        }
        Consumer<EngineEvent> receiver = claim(event);
        if (receiver != null) {
            deliver(receiver, event);
        }
    }

    private @Nullable Consumer<EngineEvent> claim(EngineEvent event) {
        synchronized (lock) {
            Consumer<EngineEvent> receiver = receivers.remove(event.id());
            if (receiver == null) {
                unclaimed.put(event.id(), event);
                if (unclaimed.size() > MAX_UNCLAIMED) {
                    Long oldest = unclaimed.keySet().iterator().next();
                    unclaimed.remove(oldest);
                    LOGGER.atWarn()
                            .addKeyValue("id", oldest)
                            .log("an event that nobody asked for was dropped");
                }
            }
            return receiver;
        }
    }

    private static void deliver(Consumer<EngineEvent> receiver, EngineEvent event) {
        try {
            receiver.accept(event);
        } catch (RuntimeException | Error e) {
            LOGGER.atError()
                    .addKeyValue("id", event.id())
                    .setCause(e)
                    .log("the receiver of an engine event failed");
        }
    }

    private void run() {
        boolean more = true;
        while (more) {
            more = source.poll(WAIT_MILLIS, this::dispatch);
        }
        if (!closing) {
            LOGGER.atError().log("the engine stopped reporting events");
        }
    }
}
