package dev.atoll.shim.ttrpc;

import java.nio.ByteBuffer;

/// The ten bytes before each message (ttrpc PROTOCOL.md): payload length, stream id, type, flags,
/// all big-endian and unsigned.
///
/// @param streamId as an unsigned 32-bit number
/// @param type see the constants; others do not exist
record FrameHeader(int length, long streamId, int type, int flags) {
    static final int BYTES = 10;
    static final int MAX_PAYLOAD = 4 << 20;

    static final int REQUEST = 1;
    static final int RESPONSE = 2;
    static final int DATA = 3;

    /// The first byte is reserved and always zero, so a greater length is no frame at all.
    private static final int GREATEST_LENGTH = (1 << 24) - 1;

    /// @throws ProtocolViolation if the bytes are no header
    static FrameHeader read(ByteBuffer buffer) throws ProtocolViolation {
        long length = Integer.toUnsignedLong(buffer.getInt());
        long streamId = Integer.toUnsignedLong(buffer.getInt());
        int type = Byte.toUnsignedInt(buffer.get());
        int flags = Byte.toUnsignedInt(buffer.get());
        if (length > GREATEST_LENGTH) {
            throw new ProtocolViolation(
                    "length %d: expected at most %d".formatted(length, GREATEST_LENGTH));
        }
        if (type < REQUEST || type > DATA) {
            throw new ProtocolViolation(
                    "message type %d: expected 1 (request), 2 (response) or 3 (data)"
                            .formatted(type));
        }
        return new FrameHeader((int) length, streamId, type, flags);
    }

    void write(ByteBuffer buffer) {
        buffer.putInt(length).putInt((int) streamId).put((byte) type).put((byte) flags);
    }
}
