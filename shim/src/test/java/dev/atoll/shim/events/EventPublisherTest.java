package dev.atoll.shim.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Empty;
import dev.atoll.api.containerd.events.TaskStart;
import dev.atoll.api.containerd.events.ttrpc.ForwardRequest;
import dev.atoll.api.containerd.types.Envelope;
import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.status.Unavailable;
import dev.atoll.shim.task.TaskEvent;
import dev.atoll.shim.ttrpc.TtrpcServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EventPublisherTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final ContainerKey KEY = new ContainerKey("k8s.io", "c1");

    @TempDir Path directory;

    private final List<Envelope> received = new CopyOnWriteArrayList<>();
    private final AtomicInteger failures = new AtomicInteger();

    private TtrpcServer containerd(Path socket) throws IOException {
        return TtrpcServer.start(
                socket,
                PeerCheck.ownUserAndRoot(),
                List.of(
                        new RpcService(
                                "containerd.services.events.ttrpc.v1.Events",
                                List.of(
                                        RpcMethod.quick(
                                                "Forward",
                                                ForwardRequest.getDefaultInstance(),
                                                Empty.getDefaultInstance(),
                                                (_, request) -> take(request))))));
    }

    private Empty take(ForwardRequest request) {
        if (failures.getAndDecrement() > 0) {
            throw new Unavailable("not now");
        }
        received.add(request.getEnvelope());
        return Empty.getDefaultInstance();
    }

    private EventPublisher publisher(Path socket) {
        return EventPublisher.start(
                socket.toString(), InstantSource.system(), Duration.ofMillis(20));
    }

    private static TaskEvent event(int number) {
        return new TaskEvent(
                "/tasks/start", TaskStart.newBuilder().setContainerId("c1").setPid(number).build());
    }

    private List<Integer> pids() {
        return received.stream().map(EventPublisherTest::pid).toList();
    }

    private static int pid(Envelope envelope) {
        try {
            return TaskStart.parseFrom(envelope.getEvent().getValue()).getPid();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void eventsArriveInOrderWithBareTypeNames() throws Exception {
        Path socket = directory.resolve("c.sock");
        try (TtrpcServer _ = containerd(socket);
                EventPublisher publisher = publisher(socket)) {
            IntStream.range(0, 500).forEach(i -> publisher.publish(KEY, event(i)));

            Awaitility.await().atMost(LONG).until(() -> received.size() == 500);

            assertThat(pids()).isEqualTo(IntStream.range(0, 500).boxed().toList());
            Envelope first = received.getFirst();
            assertThat(first.getEvent().getTypeUrl()).isEqualTo("containerd.events.TaskStart");
            assertThat(first.getNamespace()).isEqualTo("k8s.io");
            assertThat(first.getTopic()).isEqualTo("/tasks/start");
            assertThat(first.hasTimestamp()).isTrue();
        }
    }

    @Test
    void aRefusedEventIsTriedAgainBeforeTheNextOne() throws Exception {
        Path socket = directory.resolve("c.sock");
        failures.set(EventPublisher.ATTEMPTS - 1);
        try (TtrpcServer _ = containerd(socket);
                EventPublisher publisher = publisher(socket)) {
            publisher.publish(KEY, event(1));
            publisher.publish(KEY, event(2));

            Awaitility.await().atMost(LONG).until(() -> received.size() == 2);
            assertThat(pids()).containsExactly(1, 2);
        }
    }

    @Test
    void anEventThatIsAlwaysRefusedIsDroppedAndTheNextOneSent() throws Exception {
        Path socket = directory.resolve("c.sock");
        failures.set(EventPublisher.ATTEMPTS);
        try (TtrpcServer _ = containerd(socket);
                EventPublisher publisher = publisher(socket)) {
            publisher.publish(KEY, event(1));
            publisher.publish(KEY, event(2));

            Awaitility.await().atMost(LONG).until(() -> received.size() == 1);
            assertThat(pids()).containsExactly(2);
        }
    }

    @Test
    void aRestartOfContainerdLosesNothing() throws Exception {
        Path socket = directory.resolve("c.sock");
        try (EventPublisher publisher = publisher(socket)) {
            try (TtrpcServer _ = containerd(socket)) {
                publisher.publish(KEY, event(1));
                Awaitility.await().atMost(LONG).until(() -> received.size() == 1);
            }
            publisher.publish(KEY, event(2));
            try (TtrpcServer _ = containerd(socket)) {
                Awaitility.await().atMost(LONG).until(() -> received.size() == 2);
            }
            assertThat(pids()).containsExactly(1, 2);
        }
    }

    @Test
    void eventsGoToTheContainerdThatTheLauncherAnnounced() throws Exception {
        Path other = directory.resolve("other.sock");
        try (TtrpcServer _ = containerd(other);
                EventPublisher publisher = publisher(directory.resolve("default.sock"))) {
            publisher.announce(KEY, "unix://" + other);

            publisher.publish(KEY, event(7));

            Awaitility.await().atMost(LONG).until(() -> received.size() == 1);
        }
    }

    @Test
    void publishingNeverBlocksAndTheOldestAreDroppedWhenNobodyTakesThem() {
        try (EventPublisher publisher = publisher(directory.resolve("nobody.sock"))) {
            IntStream.range(0, EventPublisher.CAPACITY * 2)
                    .forEach(i -> publisher.publish(KEY, event(i)));
        }
        assertThat(received).isEmpty();
    }
}
