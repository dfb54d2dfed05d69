package dev.atoll.shim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Cuts a stream of bytes into frames. Memory grows with the bytes that came, never with the length
/// that a header claims. Confined to one thread.
final class FrameDecoder {
    private static final int FIRST_BYTES = 1024;

    /// Receives frames in their order.
    interface Sink {
        void frame(FrameHeader header, ByteString payload);

        /// A frame above [FrameHeader#MAX_PAYLOAD]; its bytes are thrown away.
        void oversized(FrameHeader header);
    }

    private final Sink sink;
    private final ByteBuffer headerBytes = ByteBuffer.allocate(FrameHeader.BYTES);
    private @Nullable FrameHeader header;
    private byte[] payload = new byte[0];
    private int received;

    FrameDecoder(Sink sink) {
        this.sink = sink;
    }

    /// Takes all bytes of `input`.
    ///
    /// @throws ProtocolViolation if they are no frames; the decoder must not be used again
    void decode(ByteBuffer input) throws ProtocolViolation {
        while (input.hasRemaining()) {
            FrameHeader current = header;
            if (current == null) {
                current = readHeader(input);
                if (current == null) {
                    return;
                }
                header = current;
                received = 0;
            }
            take(current, input);
            if (received == current.length()) {
                finish(current);
            }
        }
    }

    private @Nullable FrameHeader readHeader(ByteBuffer input) throws ProtocolViolation {
        int count = Math.min(headerBytes.remaining(), input.remaining());
        headerBytes.put(input.slice(input.position(), count));
        input.position(input.position() + count);
        if (headerBytes.hasRemaining()) {
            return null;
        }
        headerBytes.flip();
        FrameHeader read = FrameHeader.read(headerBytes);
        headerBytes.clear();
        return read;
    }

    private void take(FrameHeader current, ByteBuffer input) {
        int count = Math.min(current.length() - received, input.remaining());
        if (current.length() > FrameHeader.MAX_PAYLOAD) {
            input.position(input.position() + count);
        } else {
            if (payload.length < received + count) {
                int wanted = Math.max(received + count, Math.max(FIRST_BYTES, received * 2));
                payload = Arrays.copyOf(payload, Math.min(wanted, current.length()));
            }
            input.get(payload, received, count);
        }
        received += count;
    }

    private void finish(FrameHeader current) {
        header = null;
        if (current.length() > FrameHeader.MAX_PAYLOAD) {
            sink.oversized(current);
            return;
        }
        byte[] complete = payload.length == received ? payload : Arrays.copyOf(payload, received);
        payload = new byte[0];
        sink.frame(current, UnsafeByteOperations.unsafeWrap(complete));
    }
}
