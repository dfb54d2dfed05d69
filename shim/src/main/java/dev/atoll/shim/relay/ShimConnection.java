package dev.atoll.shim.relay;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import dev.atoll.shim.status.Relayed;
import dev.atoll.shim.status.ShimException;
import dev.atoll.shim.status.StatusCode;
import dev.atoll.shim.status.Unavailable;
import dev.atoll.shim.ttrpc.TtrpcClient;
import dev.atoll.shim.ttrpc.TtrpcStatusException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// The connection to the other shim of one container. Thread-safe.
record ShimConnection(ShimAddress address, TtrpcClient client) implements AutoCloseable {
    /// What a shim is told where the caller waits for as long as it takes.
    private static final Duration NO_LIMIT = Duration.ZERO;

    static ShimConnection open(ShimAddress address, String namespace) throws IOException {
        return new ShimConnection(address, TtrpcClient.connect(address.socket(), namespace));
    }

    /// Calls and waits.
    ///
    /// @throws Relayed if the shim refuses
    /// @throws Unavailable if it is gone or does not answer in time
    ByteString call(String method, MessageLite request, Duration timeout) {
        try {
            return client.call(address.service(), method, request, timeout);
        } catch (IOException e) {
            throw failure(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Unavailable("interrupted while the shim for runc was asked to " + method);
        }
    }

    /// Calls and leaves the waiting to the caller. May block while the shim takes nothing in.
    CompletableFuture<ByteString> send(String method, MessageLite request) throws IOException {
        return client.send(address.service(), method, request, NO_LIMIT);
    }

    static ShimException failure(IOException error) {
        return error instanceof TtrpcStatusException status
                ? new Relayed(StatusCode.of(status.code()), status.description())
                : new Unavailable("the shim for runc does not answer: " + error.getMessage());
    }

    /// Removes the socket of a shim that could not do so itself.
    void removeSocket() {
        try {
            Files.deleteIfExists(address.socket());
        } catch (IOException _) {
            // It is in nobody's way: the next shim of that name removes it.
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
