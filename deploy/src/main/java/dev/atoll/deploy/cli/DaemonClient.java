package dev.atoll.deploy.cli;

import dev.atoll.api.v1.AtollGrpc;
import dev.atoll.api.v1.Guest;
import dev.atoll.api.v1.InfoRequest;
import dev.atoll.api.v1.InfoResponse;
import dev.atoll.api.v1.ListGuestsRequest;
import dev.atoll.oci.containerd.UnixSocketFactory;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.okhttp.OkHttpChannelBuilder;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The daemon behind `api.sock`, over gRPC.
final class DaemonClient implements Daemon {
    private static final Duration DEADLINE = Duration.ofSeconds(5);
    private static final int MAX_INBOUND = 64 << 20; // ten thousand guests have room

    private final ManagedChannel channel;
    private final Path socket;

    DaemonClient(ManagedChannel channel, Path socket) {
        this.channel = channel;
        this.socket = socket;
    }

    /// The run directory is what the user says, else `ATOLL_RUN_DIR`, else /run/atoll.
    static Opener opener(Map<String, String> environment) {
        return told -> {
            String directory = told.orElse(environment.getOrDefault("ATOLL_RUN_DIR", "/run/atoll"));
            return connect(Path.of(directory).resolve("api.sock"));
        };
    }

    private static DaemonClient connect(Path socket) {
        ManagedChannel channel =
                // The address is never used: the factory connects to the socket's path.
                OkHttpChannelBuilder.forAddress("127.0.0.1", 1)
                        .overrideAuthority("localhost")
                        .usePlaintext()
                        .socketFactory(new UnixSocketFactory(socket))
                        .proxyDetector(_ -> null)
                        .maxInboundMessageSize(MAX_INBOUND)
                        .disableRetry()
                        .build();
        return new DaemonClient(channel, socket);
    }

    @Override
    public List<Guest> guests(boolean includePauses) throws CommandFailed {
        ListGuestsRequest request =
                ListGuestsRequest.newBuilder().setIncludePauses(includePauses).build();
        return call(() -> stub().listGuests(request)).getGuestsList();
    }

    @Override
    public InfoResponse info() throws CommandFailed {
        return call(() -> stub().info(InfoRequest.getDefaultInstance()));
    }

    private AtollGrpc.AtollBlockingStub stub() {
        return AtollGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE);
    }

    private <T> T call(Supplier<T> call) throws CommandFailed {
        try {
            return call.get();
        } catch (StatusRuntimeException e) {
            throw new CommandFailed(explain(e.getStatus()), e);
        }
    }

    private String explain(Status status) {
        return switch (status.getCode()) {
            case UNAVAILABLE -> explainUnavailable(status);
            case DEADLINE_EXCEEDED ->
                    "the daemon at %s did not answer within %d seconds: it is stuck or overloaded"
                            .formatted(socket, DEADLINE.toSeconds());
            case UNIMPLEMENTED ->
                    "the daemon at %s does not know this request: it is older than this command; use the atoll that came with it"
                            .formatted(socket);
            default ->
                    "the daemon at %s answered %s: %s"
                            .formatted(
                                    socket,
                                    status.getCode(),
                                    Optional.ofNullable(status.getDescription())
                                            .orElse("no reason given"));
        };
    }

    private String explainUnavailable(Status status) {
        if (status.getCause() instanceof AccessDeniedException || !Files.isReadable(parent())) {
            return Files.exists(parent())
                    ? "no permission for %s: run atoll as root".formatted(socket)
                    : notRunning();
        }
        return notRunning();
    }

    private String notRunning() {
        return "no daemon answers at %s: it starts with the first pod of a RuntimeClass that Atoll handles, or --run-dir names another place"
                .formatted(socket);
    }

    private Path parent() {
        Path parent = socket.getParent();
        return parent == null ? socket : parent;
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
