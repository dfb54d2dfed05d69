package dev.atoll.deploy.cli;

import com.google.protobuf.Timestamp;
import dev.atoll.api.v1.AtollGrpc;
import dev.atoll.api.v1.Guest;
import dev.atoll.api.v1.InfoRequest;
import dev.atoll.api.v1.InfoResponse;
import dev.atoll.api.v1.ListGuestsRequest;
import dev.atoll.api.v1.ListGuestsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A daemon in this process, with guests as told.
final class FakeAtoll extends AtollGrpc.AtollImplBase implements AutoCloseable {
    static final Instant NOW = Instant.parse("2026-01-02T00:00:00Z");

    private final List<Guest> guests;
    private final Optional<Status> refusal;
    private final String name = InProcessServerBuilder.generateName();
    private final Server server;

    FakeAtoll(List<Guest> guests, Optional<Status> refusal) {
        this.guests = List.copyOf(guests);
        this.refusal = refusal;
        try {
            server = InProcessServerBuilder.forName(name).addService(this).build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Daemon.Opener opener() {
        return directory -> {
            ManagedChannel channel = InProcessChannelBuilder.forName(name).build();
            return new DaemonClient(channel, Path.of(directory.orElse("/fake"), "api.sock"));
        };
    }

    @Override
    public void listGuests(ListGuestsRequest request, StreamObserver<ListGuestsResponse> observer) {
        List<Guest> listed =
                guests.stream()
                        .filter(guest ->
                                request.getIncludePauses() || !guest.getKind().equals("pause"))
                        .toList();
        answer(observer, ListGuestsResponse.newBuilder().addAllGuests(listed).build());
    }

    @Override
    public void info(InfoRequest request, StreamObserver<InfoResponse> observer) {
        answer(
                observer,
                InfoResponse.newBuilder()
                        .setVersion("0.1.0")
                        .setPid(4711)
                        .setStartedAt(secondsAgo(200))
                        .setTasks(guests.size())
                        .setEngine("{\"version\":\"48.0.8\",\"slots\":1000}")
                        .build());
    }

    private <T> void answer(StreamObserver<T> observer, T response) {
        if (refusal.isPresent()) {
            observer.onError(refusal.get().asRuntimeException());
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }

    static Timestamp secondsAgo(long seconds) {
        return Timestamp.newBuilder().setSeconds(NOW.getEpochSecond() - seconds).build();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }
}
