package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class EngineEventTest {
    private static final GuestTimes TIMES = new GuestTimes(1, 2, 3, 4, 5, 6);

    static Stream<Arguments> records() {
        return Stream.of(
                Arguments.of(1, 42, new EngineEvent.GuestExited(7, 42, TIMES)),
                Arguments.of(2, 0, new EngineEvent.GuestTrapped(7, TIMES)),
                Arguments.of(3, 0, new EngineEvent.GuestOutOfMemory(7, TIMES)),
                Arguments.of(4, 15, new EngineEvent.GuestSignalled(7, 15, TIMES)),
                Arguments.of(5, 0, new EngineEvent.GuestFailed(7, TIMES)),
                Arguments.of(16, -1, new EngineEvent.ModuleLoaded(7, -1)),
                Arguments.of(99, 0, new EngineEvent.Unknown(7, 99)));
    }

    @ParameterizedTest
    @MethodSource("records")
    void aRecordIsDecodedByItsKind(int kind, int code, EngineEvent expected) {
        ByteBuffer bytes =
                ByteBuffer.allocate(EngineEvent.RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(7).putInt(kind).putInt(code);
        for (long number = 1; number <= 6; number++) {
            bytes.putLong(number);
        }

        assertThat(EngineEvent.decode(bytes)).isEqualTo(expected);
    }
}
