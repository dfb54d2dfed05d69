package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SignalActionTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 6, 9, 10, 12, 13, 14, 15, 16, 29, 30, 31, 32, 34, 64})
    void mostSignalsEndIt(int signal) {
        assertThat(SignalAction.of(signal)).isEqualTo(SignalAction.END);
    }

    @ParameterizedTest
    @ValueSource(ints = {17, 18, 23, 28})
    void someAreIgnored(int signal) {
        assertThat(SignalAction.of(signal)).isEqualTo(SignalAction.IGNORE);
    }

    @Test
    void zeroOnlyProbes() {
        assertThat(SignalAction.of(0)).isEqualTo(SignalAction.PROBE);
    }

    @ParameterizedTest
    @ValueSource(ints = {19, 20, 21, 22})
    void stopSignalsAreRefused(int signal) {
        assertThatThrownBy(() -> SignalAction.of(signal))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("cannot be stopped");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65, Integer.MAX_VALUE})
    void whatIsNoSignalIsRefused(int signal) {
        assertThatThrownBy(() -> SignalAction.of(signal))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("expected 1 to 64");
    }
}
