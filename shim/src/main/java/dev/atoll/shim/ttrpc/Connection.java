package dev.atoll.shim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.rpc.Status;
import dev.atoll.api.ttrpc.KeyValue;
import dev.atoll.api.ttrpc.Request;
import dev.atoll.api.ttrpc.Response;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.Session;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.status.ResourceExhausted;
import dev.atoll.shim.status.RpcFailure;
import dev.atoll.shim.status.StatusMapper;
import dev.atoll.shim.status.Unimplemented;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// One client's connection. Confined to the loop thread, except for what a [Responder] does:
/// queueing a response.
final class Connection implements FrameDecoder.Sink {
    /// Above this many bytes of unread responses no further request is read.
    private static final int RESPONSES_PAUSE_READING = 1 << 20;

    /// A client with more unread responses than this does not read at all.
    private static final int RESPONSES_CLOSE = 16 << 20;

    static final int MAX_CALLS_IN_FLIGHT = 16_384;

    private static final String NAMESPACE_METADATA = "containerd-namespace-ttrpc";

    /// What a connection needs of its server.
    interface Host {
        /// Runs the call, on the loop or elsewhere.
        void dispatch(
                String service,
                String method,
                CallContext context,
                ByteString payload,
                Responder<MessageLite> responder);

        /// Has the loop write what is queued; from any thread.
        void wakeForWriting(Connection connection);
    }

    private final Host host;
    private final SocketChannel channel;
    private final SelectionKey key;
    private final FrameDecoder decoder = new FrameDecoder(this);
    private final Queue<ByteBuffer> queued = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<ByteBuffer> writing = new ArrayDeque<>();
    private final AtomicLong unwritten = new AtomicLong();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private final Session session = new Session();
    private long lastStreamId;
    private volatile boolean closed;

    Connection(Host host, SocketChannel channel, SelectionKey key) {
        this.host = host;
        this.channel = channel;
        this.key = key;
    }

    /// @return false if the peer has closed the connection
    boolean read(ByteBuffer scratch) throws IOException, ProtocolViolation {
        scratch.clear();
        int count = channel.read(scratch);
        if (count < 0) {
            return false;
        }
        decoder.decode(scratch.flip());
        return true;
    }

    /// Writes what is queued as far as the socket takes it, and asks for what to wait for next.
    void write() throws IOException {
        scheduled.set(false);
        while (true) {
            for (ByteBuffer next = queued.poll(); next != null; next = queued.poll()) {
                writing.add(next);
            }
            ByteBuffer first = writing.peek();
            if (first == null) {
                break;
            }
            long written = channel.write(first);
            unwritten.addAndGet(-written);
            if (first.hasRemaining()) {
                break;
            }
            writing.remove();
        }
        long waiting = unwritten.get();
        if (waiting > RESPONSES_CLOSE) {
            throw new IOException(
                    "the client does not read its responses: %d bytes wait".formatted(waiting));
        }
        int interest = waiting < RESPONSES_PAUSE_READING ? SelectionKey.OP_READ : 0;
        key.interestOps(writing.isEmpty() ? interest : interest | SelectionKey.OP_WRITE);
    }

    void close() {
        closed = true;
        key.cancel();
        try {
            channel.close();
        } catch (IOException _) {
            // The descriptor is released all the same, and nobody is left to be told.
        }
    }

    @Override
    public void oversized(FrameHeader header) {
        advance(header.streamId());
        refuse(
                header.streamId(),
                new ResourceExhausted(
                        "message of %d bytes is too large: at most %d bytes"
                                .formatted(header.length(), FrameHeader.MAX_PAYLOAD)));
    }

    @Override
    public void frame(FrameHeader header, ByteString payload) {
        long streamId = header.streamId();
        switch (header.type()) {
            case FrameHeader.REQUEST -> request(header, payload);
            case FrameHeader.DATA ->
                    refuse(
                            streamId,
                            new InvalidArgument(
                                    "stream %d is not open for data".formatted(streamId)));
            default ->
                    refuse(
                            streamId,
                            new InvalidArgument(
                                    "stream %d: a client sends no responses".formatted(streamId)));
        }
    }

    private void request(FrameHeader header, ByteString payload) {
        long streamId = header.streamId();
        if (streamId % 2 != 1) {
            refuse(
                    streamId,
                    new InvalidArgument(
                            "stream id %d is even: a client's ids are odd".formatted(streamId)));
            return;
        }
        if (streamId <= lastStreamId) {
            refuse(
                    streamId,
                    new InvalidArgument(
                            "stream id %d was used or passed over: expected one above %d"
                                    .formatted(streamId, lastStreamId)));
            return;
        }
        advance(streamId);
        if (header.flags() != 0) {
            refuse(streamId, new Unimplemented("streaming calls are not supported"));
            return;
        }
        Request request;
        try {
            request = Request.parseFrom(payload);
        } catch (InvalidProtocolBufferException e) {
            refuse(
                    streamId,
                    new InvalidArgument("the request cannot be decoded: " + e.getMessage()));
            return;
        }
        if (inFlight.incrementAndGet() > MAX_CALLS_IN_FLIGHT) {
            inFlight.decrementAndGet();
            refuse(
                    streamId,
                    new ResourceExhausted(
                            "more than %d calls wait for their answers on this connection"
                                    .formatted(MAX_CALLS_IN_FLIGHT)));
            return;
        }
        host.dispatch(
                request.getService(),
                request.getMethod(),
                new CallContext(namespace(request), session),
                request.getPayload(),
                new StreamResponder(streamId));
    }

    private void advance(long streamId) {
        if (streamId % 2 == 1) {
            lastStreamId = Math.max(lastStreamId, streamId);
        }
    }

    private static String namespace(Request request) {
        for (KeyValue pair : request.getMetadataList()) {
            if (pair.getKey().equals(NAMESPACE_METADATA)) {
                return pair.getValue();
            }
        }
        return "";
    }

    private void refuse(long streamId, Throwable cause) {
        RpcFailure failure = StatusMapper.map(cause);
        send(streamId, response(failure));
    }

    private static Response response(RpcFailure failure) {
        return Response.newBuilder()
                .setStatus(
                        Status.newBuilder()
                                .setCode(failure.code().number())
                                .setMessage(failure.message()))
                .build();
    }

    private void send(long streamId, Response response) {
        Response fitting = response;
        if (response.getSerializedSize() > FrameHeader.MAX_PAYLOAD) {
            fitting =
                    response(
                            StatusMapper.map(
                                    new ResourceExhausted(
                                            "response of %d bytes is too large: at most %d bytes"
                                                    .formatted(
                                                            response.getSerializedSize(),
                                                            FrameHeader.MAX_PAYLOAD))));
        }
        if (closed) {
            return;
        }
        ByteBuffer frame = FrameEncoder.encode(FrameHeader.RESPONSE, streamId, fitting);
        unwritten.addAndGet(frame.remaining());
        queued.add(frame);
        if (scheduled.compareAndSet(false, true)) {
            host.wakeForWriting(this);
        }
    }

    /// Answers one stream.
    private final class StreamResponder implements Responder<MessageLite> {
        private final long streamId;
        private final AtomicBoolean answered = new AtomicBoolean();

        StreamResponder(long streamId) {
            this.streamId = streamId;
        }

        @Override
        public void reply(MessageLite response) {
            answer(Response.newBuilder().setPayload(response.toByteString()).build());
        }

        @Override
        public void fail(Throwable cause) {
            answer(response(StatusMapper.map(cause)));
        }

        private void answer(Response response) {
            if (answered.compareAndSet(false, true)) {
                inFlight.decrementAndGet();
                send(streamId, response);
            }
        }

        @Override
        public boolean isAbandoned() {
            return closed;
        }
    }
}
