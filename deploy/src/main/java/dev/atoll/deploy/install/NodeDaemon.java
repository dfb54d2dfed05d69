package dev.atoll.deploy.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.atoll.api.v1.AtollGrpc;
import dev.atoll.api.v1.ListGuestsRequest;
import dev.atoll.oci.containerd.UnixSocketFactory;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.okhttp.OkHttpChannelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// The daemon of the host, as it runs now.
record NodeDaemon(Host host) {
    private static final String MAIN_CLASS = "dev.atoll.shim.Atolld";
    private static final Duration CALL_DEADLINE = Duration.ofSeconds(10);
    private static final Duration END_DEADLINE = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final int MAX_INBOUND = 64 << 20;

    Optional<Long> pid() throws InstallFailed {
        Optional<String> text = host.read(Layout.RUN_DIRECTORY + "/atolld.pid");
        if (text.isEmpty() || !text.get().strip().matches("[0-9]{1,10}")) {
            return Optional.empty();
        }
        long pid = Long.parseLong(text.get().strip());
        return isDaemon(pid) ? Optional.of(pid) : Optional.empty();
    }

    private boolean isDaemon(long pid) {
        try {
            return new String(Files.readAllBytes(process(pid).resolve("cmdline")), UTF_8)
                    .contains(MAIN_CLASS);
        } catch (IOException _) { // It has ended, or is just ending.
            return false;
        }
    }

    private Path process(long pid) {
        return host.root().resolve("proc").resolve(Long.toString(pid));
    }

    /// The directory of the distribution that the daemon runs from, as the host names it.
    Optional<String> distribution() throws InstallFailed {
        Optional<Long> pid = pid();
        if (pid.isEmpty()) {
            return Optional.empty();
        }
        try {
            Path program = Files.readSymbolicLink(process(pid.get()).resolve("exe"));
            return Optional.of(program.resolve("../../..").normalize().toString());
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /// How many pods and containers the daemon has; 0 if none runs.
    int guests() throws InstallFailed {
        if (pid().isEmpty()) {
            return 0;
        }
        Path socket = host.path(Layout.RUN_DIRECTORY + "/api.sock");
        ManagedChannel channel =
                OkHttpChannelBuilder.forAddress("127.0.0.1", 1)
                        .overrideAuthority("localhost")
                        .usePlaintext()
                        .socketFactory(new UnixSocketFactory(socket))
                        .proxyDetector(_ -> null)
                        .maxInboundMessageSize(MAX_INBOUND)
                        .build();
        try {
            return AtollGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(CALL_DEADLINE)
                    .listGuests(ListGuestsRequest.newBuilder().setIncludePauses(true).build())
                    .getGuestsCount();
        } catch (StatusRuntimeException e) {
            throw new InstallFailed(
                    "the daemon does not tell how many guests it has (%s): see %s/atolld.log"
                            .formatted(e.getStatus(), Layout.RUN_DIRECTORY),
                    e);
        } finally {
            channel.shutdownNow();
        }
    }

    /// Ends the daemon, and all guests with it.
    void stop() throws InstallFailed {
        Optional<Long> pid = pid();
        if (pid.isEmpty()) {
            return;
        }
        host.run("kill", "-TERM", Long.toString(pid.get()));
        Deadline deadline = Deadline.in(END_DEADLINE, PAUSE, "the daemon ended");
        while (isDaemon(pid.get())) {
            if (deadline.isOver()) {
                throw new InstallFailed(
                        "the daemon (pid %d) did not end within %d s of SIGTERM: see %s/atolld.log"
                                .formatted(
                                        pid.get(), END_DEADLINE.toSeconds(), Layout.RUN_DIRECTORY));
            }
            deadline.await();
        }
    }
}
