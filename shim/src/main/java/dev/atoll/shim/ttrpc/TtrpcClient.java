package dev.atoll.shim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.rpc.Code;
import dev.atoll.api.ttrpc.KeyValue;
import dev.atoll.api.ttrpc.Request;
import dev.atoll.api.ttrpc.Response;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

/// A connection to a ttrpc server. Thread-safe; several calls may be under way. A virtual thread
/// reads the responses.
public final class TtrpcClient implements AutoCloseable {
    private final SocketChannel channel;
    private final String namespace;
    private final ConcurrentMap<Long, CompletableFuture<ByteString>> waiting =
            new ConcurrentHashMap<>();
    private final ReentrantLock writeLock = new ReentrantLock();
    private long nextStreamId = 1;
    private volatile boolean broken;

    private TtrpcClient(SocketChannel channel, String namespace) {
        this.channel = channel;
        this.namespace = namespace;
    }

    /// @param namespace sent with every call; none if empty
    public static TtrpcClient connect(Path socket, String namespace) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        TtrpcClient client = new TtrpcClient(channel, namespace);
        Thread.ofVirtual().name("ttrpc-client").start(client::readResponses);
        return client;
    }

    /// Calls and waits for the response.
    ///
    /// @throws TtrpcStatusException if the server answers with an error
    /// @throws IOException if the connection breaks or the time is over
    public ByteString call(String service, String method, MessageLite request, Duration timeout)
            throws IOException, InterruptedException {
        CompletableFuture<ByteString> response = send(service, method, request, timeout);
        try {
            return response.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TtrpcStatusException status) {
                throw status;
            }
            throw new IOException(
                    "%s/%s: connection lost".formatted(service, method), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException(
                    "%s/%s: no answer within %s".formatted(service, method, timeout), e);
        }
    }

    /// Calls and leaves the waiting to the caller.
    ///
    /// @param timeout told to the server
    public CompletableFuture<ByteString> send(
            String service, String method, MessageLite request, Duration timeout)
            throws IOException {
        Request.Builder message =
                Request.newBuilder()
                        .setService(service)
                        .setMethod(method)
                        .setPayload(request.toByteString())
                        .setTimeoutNano(timeout.toNanos());
        if (!namespace.isEmpty()) {
            message.addMetadata(
                    KeyValue.newBuilder().setKey("containerd-namespace-ttrpc").setValue(namespace));
        }
        Request built = message.build();
        if (built.getSerializedSize() > FrameHeader.MAX_PAYLOAD) {
            throw new IOException(
                    "%s/%s: request of %d bytes is too large: at most %d bytes"
                            .formatted(
                                    service,
                                    method,
                                    built.getSerializedSize(),
                                    FrameHeader.MAX_PAYLOAD));
        }
        CompletableFuture<ByteString> response = new CompletableFuture<>();
        writeLock.lock();
        try {
            long streamId = nextStreamId;
            nextStreamId += 2;
            waiting.put(streamId, response);
            if (broken) {
                waiting.remove(streamId);
                throw new IOException("connection closed");
            }
            ByteBuffer frame = FrameEncoder.encode(FrameHeader.REQUEST, streamId, built);
            while (frame.hasRemaining()) {
                channel.write(frame);
            }
        } finally {
            writeLock.unlock();
        }
        return response;
    }

    /// Whether the connection can still be used, as far as is known.
    public boolean isOpen() {
        return !broken && channel.isOpen();
    }

    private void readResponses() {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        FrameDecoder decoder = new FrameDecoder(new ResponseSink());
        IOException end = new IOException("connection closed by the server");
        try {
            while (channel.read(buffer.clear()) >= 0) {
                decoder.decode(buffer.flip());
            }
        } catch (IOException e) {
            end = e;
        } catch (ProtocolViolation e) {
            end = new IOException("the server does not speak ttrpc: " + e.getMessage(), e);
        }
        broken = true;
        for (CompletableFuture<ByteString> response : waiting.values()) {
            response.completeExceptionally(end);
        }
        close();
    }

    @Override
    public void close() {
        broken = true;
        try {
            channel.close();
        } catch (IOException _) {
            // The descriptor is released all the same; the reader ends and fails what waits.
        }
    }

    private final class ResponseSink implements FrameDecoder.Sink {
        @Override
        public void frame(FrameHeader header, ByteString payload) {
            CompletableFuture<ByteString> response = waiting.remove(header.streamId());
            if (response == null) {
                return;
            }
            try {
                Response message = Response.parseFrom(payload);
                if (message.getStatus().getCode() == Code.OK_VALUE) {
                    response.complete(message.getPayload());
                } else {
                    response.completeExceptionally(new TtrpcStatusException(message.getStatus()));
                }
            } catch (IOException e) {
                response.completeExceptionally(e);
            }
        }

        @Override
        public void oversized(FrameHeader header) {
            CompletableFuture<ByteString> response = waiting.remove(header.streamId());
            if (response != null) {
                response.completeExceptionally(
                        new IOException(
                                "response of %d bytes is too large".formatted(header.length())));
            }
        }
    }
}
