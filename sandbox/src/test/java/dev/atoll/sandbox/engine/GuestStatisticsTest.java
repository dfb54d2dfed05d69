package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class GuestStatisticsTest {
    @Test
    void numbersAreInTheHeadersOrder() {
        long[] numbers = LongStream.range(0, GuestStatistics.NUMBERS).toArray();

        assertThat(GuestStatistics.of(numbers))
                .isEqualTo(
                        new GuestStatistics(
                                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
                                19, 20, 21));
        assertThat(GuestStatistics.of(numbers).answeredRequests()).isEqualTo(8);
        assertThat(GuestStatistics.of(numbers).instances()).isEqualTo(15);
        assertThat(GuestStatistics.of(numbers).memoryLimit()).isEqualTo(19);
    }
}
