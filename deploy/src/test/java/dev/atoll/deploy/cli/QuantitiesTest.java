package dev.atoll.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class QuantitiesTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1.0 KiB",
        "1310720, 1.3 MiB",
        "209715200, 200 MiB",
        "5000000000000, 4.5 TiB"
    })
    void bytesHaveAUnit(long bytes, String text) {
        assertThat(Quantities.bytes(bytes)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"-5, 0s", "119, 119s", "120, 2m0s", "600, 10m", "10800, 3h0m", "172800, 2d0h"})
    void agesHaveTwoUnits(long seconds, String text) {
        assertThat(Quantities.age(Duration.ofSeconds(seconds))).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({"0, 0.0 ms", "999000000, 999.0 ms", "1500000000, 1.50 s", "180000000000, 3m0s"})
    void cpuTimeIsExactWhereItIsSmall(long nanos, String text) {
        assertThat(Quantities.cpu(nanos)).isEqualTo(text);
    }
}
