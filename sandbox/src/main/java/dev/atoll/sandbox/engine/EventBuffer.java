package dev.atoll.sandbox.engine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Room for event records. Confined to the thread that made it.
final class EventBuffer implements AutoCloseable {
    private static final int CAPACITY = 256;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment segment =
            arena.allocate((long) CAPACITY * EngineEvent.RECORD_BYTES, Long.BYTES);
    private final ByteBuffer bytes = segment.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);

    MemorySegment segment() {
        return segment;
    }

    ByteBuffer recordAt(int index) {
        return bytes.slice(index * EngineEvent.RECORD_BYTES, EngineEvent.RECORD_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /// The line that a failed poll wrote instead of records.
    String errorLine() {
        return StandardCharsets.UTF_8.decode(bytes.slice(0, errorLength())).toString();
    }

    private int errorLength() {
        int length = 0;
        while (length < bytes.capacity() && bytes.get(length) != 0) {
            length++;
        }
        return length;
    }

    @Override
    public void close() {
        arena.close();
    }
}
