package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class EngineEventsTest {
    private static final EngineEvent FIRST = new EngineEvent.ModuleLoaded(1, 0);
    private static final EngineEvent SECOND = new EngineEvent.ModuleLoaded(2, 0);

    private final List<EngineEvent> received = new ArrayList<>();

    @Test
    void anEventGoesToTheReceiverOfItsId() {
        EngineEvents events = new EngineEvents((wait, sink) -> false);
        events.register(1, received::add);

        events.dispatch(SECOND);
        events.dispatch(FIRST);

        assertThat(received).containsExactly(FIRST);
    }

    @Test
    void anEventBeforeItsReceiverIsKept() {
        EngineEvents events = new EngineEvents((wait, sink) -> false);

        events.dispatch(FIRST);
        events.register(1, received::add);

        assertThat(received).containsExactly(FIRST);
    }

    @Test
    void aReceiverGetsOneEventOnly() {
        EngineEvents events = new EngineEvents((wait, sink) -> false);
        events.register(1, received::add);

        events.dispatch(FIRST);
        events.dispatch(FIRST);

        assertThat(received).hasSize(1);
    }

    @Test
    void aReceiverThatThrowsDoesNotStopTheOthers() throws InterruptedException {
        BlockingQueue<EngineEvent> source = new LinkedBlockingQueue<>(List.of(FIRST, SECOND));
        BlockingQueue<EngineEvent> arrived = new LinkedBlockingQueue<>();
        EngineEvents events =
                new EngineEvents((wait, sink) -> {
                    EngineEvent next = source.poll();
                    if (next != null) {
                        sink.accept(next);
                    }
                    return next != null;
                });
        events.register(
                1,
                event -> {
                    throw new IllegalStateException("on purpose");
                });
        events.register(2, arrived::add);

        events.start();

        assertThat(arrived.poll(10, TimeUnit.SECONDS)).isEqualTo(SECOND);
        assertThat(events.close(Duration.ofSeconds(10))).isTrue();
    }

    @Test
    void theThreadIsAPlatformThreadWithAName() throws InterruptedException {
        BlockingQueue<Thread> threads = new LinkedBlockingQueue<>();
        EngineEvents events =
                new EngineEvents((wait, sink) -> {
                    threads.add(Thread.currentThread());
                    return false;
                });

        events.start();

        assertThat(threads.poll(10, TimeUnit.SECONDS))
                .satisfies(thread -> {
                    assertThat(thread.getName()).isEqualTo("engine-events");
                    assertThat(thread.isVirtual()).isFalse();
                });
        assertThat(events.close(Duration.ofSeconds(10))).isTrue();
    }
}
