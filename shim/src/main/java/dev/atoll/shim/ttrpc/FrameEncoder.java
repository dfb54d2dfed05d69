package dev.atoll.shim.ttrpc;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;

/// Writes frames. Stateless.
final class FrameEncoder {
    private FrameEncoder() {}

    /// @return the whole frame, ready to be read; at most [FrameHeader#MAX_PAYLOAD] long
    static ByteBuffer encode(int type, long streamId, MessageLite message) {
        int length = message.getSerializedSize();
        ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES + length);
        new FrameHeader(length, streamId, type, 0).write(frame);
        CodedOutputStream output = CodedOutputStream.newInstance(frame);
        try {
            message.writeTo(output);
            output.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("a buffer of the message's size was too small", e);
        }
        return frame.flip();
    }
}
