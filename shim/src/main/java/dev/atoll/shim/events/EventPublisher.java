package dev.atoll.shim.events;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.Any;
import dev.atoll.api.containerd.events.ttrpc.ForwardRequest;
import dev.atoll.api.containerd.types.Envelope;
import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.control.LauncherService.ContainerdSockets;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.task.EventSink;
import dev.atoll.shim.task.TaskEvent;
import dev.atoll.shim.task.Timestamps;
import dev.atoll.shim.ttrpc.TtrpcClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends events to the containerd that each container belongs to, in the order in which they came,
/// from one thread, `events`. An event that cannot be delivered is tried again on a new connection,
/// five times in all, then dropped: events are best effort, exits are told by `Wait`.
///
/// Thread-safe: the queue is guarded by `lock`; connections are confined to the sender.
public final class EventPublisher implements EventSink, ContainerdSockets, AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EventPublisher.class);
    private static final String SERVICE = "containerd.services.events.ttrpc.v1.Events";
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration GRACE = Duration.ofSeconds(1);
    static final int CAPACITY = 2048;
    static final int ATTEMPTS = 5;

    private final String defaultAddress;
    private final InstantSource clock;
    private final Duration firstBackoff;
    private final ConcurrentMap<ContainerKey, String> announced = new ConcurrentHashMap<>();
    private final Map<String, TtrpcClient> connections = new HashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    @GuardedBy("lock")
    private final ArrayDeque<Pending> queue = new ArrayDeque<>();

    @GuardedBy("lock")
    private long dropped;

    @GuardedBy("lock")
    private boolean closing;

    private final Thread sender = Thread.ofPlatform().name("events").daemon().unstarted(this::run);

    /// An event on its way.
    private record Pending(String address, String topic, ForwardRequest request) {}

    private EventPublisher(String defaultAddress, InstantSource clock, Duration firstBackoff) {
        this.defaultAddress = defaultAddress;
        this.clock = clock;
        this.firstBackoff = firstBackoff;
    }

    /// @param defaultAddress ttrpc socket of the containerd whose launcher announces none
    /// @param firstBackoff between the first attempt and the second; doubles
    public static EventPublisher start(
            String defaultAddress, InstantSource clock, Duration firstBackoff) {
        EventPublisher publisher = new EventPublisher(defaultAddress, clock, firstBackoff);
        publisher.sender.start();
        return publisher;
    }

    @Override
    public void announce(ContainerKey key, String ttrpcAddress) {
        if (ttrpcAddress.equals(defaultAddress)) {
            announced.remove(key);
        } else {
            announced.put(key, ttrpcAddress);
        }
    }

    @Override
    public void forget(ContainerKey key) {
        announced.remove(key);
    }

    @Override
    public void publish(ContainerKey container, TaskEvent event) {
        Envelope envelope =
                Envelope.newBuilder()
                        .setTimestamp(Timestamps.of(clock.instant()))
                        .setNamespace(container.namespace())
                        .setTopic(event.topic())
                        .setEvent(
                                Any.newBuilder()
                                        .setTypeUrl(
                                                event.message()
                                                        .getDescriptorForType()
                                                        .getFullName())
                                        .setValue(event.message().toByteString()))
                        .build();
        Pending pending =
                new Pending(
                        announced.getOrDefault(container, defaultAddress),
                        event.topic(),
                        ForwardRequest.newBuilder().setEnvelope(envelope).build());
        lock.lock();
        try {
            if (queue.size() >= CAPACITY) {
                queue.removeFirst();
                dropped++;
            }
            queue.addLast(pending);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (true) {
                Pending next;
                long lost;
                lock.lock();
                try {
                    while (queue.isEmpty()) {
                        if (closing) {
                            return;
                        }
                        changed.await();
                    }
                    next = queue.removeFirst();
                    lost = dropped;
                    dropped = 0;
                } finally {
                    lock.unlock();
                }
                if (lost > 0) {
                    LOGGER.atWarn()
                            .addKeyValue(LogKeys.COUNT, lost)
                            .log("oldest events dropped: the queue was full");
                }
                deliver(next);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            connections.values().forEach(TtrpcClient::close);
        }
    }

    private void deliver(Pending event) throws InterruptedException {
        Duration backoff = firstBackoff;
        for (int attempt = 1; ; attempt++) {
            try {
                connection(event.address()).call(SERVICE, "Forward", event.request(), CALL_TIMEOUT);
                return;
            } catch (IOException | IllegalArgumentException e) {
                TtrpcClient failed = connections.remove(event.address());
                if (failed != null) {
                    failed.close();
                }
                if (attempt == ATTEMPTS || !pause(backoff)) {
                    LOGGER.atWarn()
                            .addKeyValue(LogKeys.TOPIC, event.topic())
                            .addKeyValue(LogKeys.ADDRESS, event.address())
                            .addKeyValue(LogKeys.COUNT, attempt)
                            .addKeyValue(LogKeys.ERROR, e.getMessage())
                            .log("event dropped: containerd does not take it");
                    return;
                }
                backoff = backoff.multipliedBy(2);
            }
        }
    }

    /// @return false if the publisher closes
    private boolean pause(Duration duration) throws InterruptedException {
        long nanos = duration.toNanos();
        lock.lock();
        try {
            while (nanos > 0 && !closing) {
                nanos = changed.awaitNanos(nanos);
            }
            return !closing;
        } finally {
            lock.unlock();
        }
    }

    private TtrpcClient connection(String address) throws IOException {
        TtrpcClient open = connections.get(address);
        if (open != null && open.isOpen()) {
            return open;
        }
        String path = address.startsWith("unix://") ? address.substring(7) : address;
        TtrpcClient fresh = TtrpcClient.connect(Path.of(path), "");
        connections.put(address, fresh);
        return fresh;
    }

    /// Delivers what waits, for a moment, and ends the sender.
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            sender.join(GRACE.toMillis());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        sender.interrupt();
    }
}
