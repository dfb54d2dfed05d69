package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxExhausted;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.WorkloadEnded;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class EngineErrorTest {
    static Stream<Arguments> codes() {
        return Stream.of(
                Arguments.of(-1, InvalidWorkload.class),
                Arguments.of(-2, SandboxFailure.class),
                Arguments.of(-3, WorkloadEnded.class),
                Arguments.of(-4, SandboxExhausted.class),
                Arguments.of(-5, SandboxFailure.class),
                Arguments.of(-6, SandboxFailure.class),
                Arguments.of(-7, InvalidWorkload.class),
                Arguments.of(-99, SandboxFailure.class));
    }

    @ParameterizedTest
    @MethodSource("codes")
    void aCodeBecomesTheExceptionThatSaysWhoseFaultItIs(
            long code, Class<? extends SandboxException> expected) {
        assertThat(EngineError.of(code).exception("why")).isInstanceOf(expected).hasMessage("why");
    }
}
