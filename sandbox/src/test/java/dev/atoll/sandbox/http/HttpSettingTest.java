package dev.atoll.sandbox.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class HttpSettingTest {
    @ParameterizedTest
    @CsvSource({
        "request-timeout, 500ms, 500",
        "request-timeout, 10s, 10000",
        "request-timeout, 2m, 120000",
        "request-timeout, 24h, 86400000",
        "drain, 0s, 0",
        "max-header-bytes, 65536, 65536",
        "max-header-bytes, 8192B, 8192",
        "max-header-bytes, 64KiB, 65536",
        "max-header-bytes, 64Ki, 65536",
        "max-header-bytes, 64k, 64000",
        "max-header-bytes, 1MiB, 1048576",
        "max-body-bytes, 0, 0",
        "max-body-bytes, 10M, 10000000",
        "max-body-bytes, 1024GiB, 1099511627776",
        "max-queued-requests, 0, 0",
        "reuse-requests, 1000000, 1000000"
    })
    void aValueIsReadInItsUnit(String key, String text, long value) throws InvalidSetting {
        assertThat(HttpSetting.of(key).orElseThrow().parse(text)).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "request-timeout|60|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|-1s|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|1.5s|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|10 s|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|9ms|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|25h|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|999999999999999999h|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "request-timeout|1234567890123456789s|a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h",
                "drain|61m|a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h",
                "max-header-bytes|1KiB|a number of bytes from 8KiB to 1MiB, such as 65536, 64KiB or 1MiB",
                "max-header-bytes|64kb|a number of bytes from 8KiB to 1MiB, such as 65536, 64KiB or 1MiB",
                "max-body-bytes|2000GiB|a number of bytes from 0 to 1024GiB, such as 65536, 64KiB or 1MiB; 0 is for no limit",
                "max-concurrent-requests|0|a number from 1 to 100000",
                "max-concurrent-requests|10k|a number from 1 to 100000",
                "max-concurrent-requests||a number from 1 to 100000"
            })
    void anotherValueIsRefusedInWords(String key, String text, String accepted) {
        String value = text == null ? "" : text;

        assertThatThrownBy(() -> HttpSetting.of(key).orElseThrow().parse(value))
                .isInstanceOf(InvalidSetting.class)
                .hasMessage("expected " + accepted + ", found \"" + value + "\"");
    }

    @Test
    void aPlainNumberIsNoDuration() throws InvalidSetting {
        assertThat(HttpSetting.MAX_BODY_BYTES.check(5)).isEqualTo(5);
        assertThatThrownBy(() -> HttpSetting.DRAIN.check(5))
                .hasMessageStartingWith("expected a duration from ")
                .hasMessageEndingWith(", found 5");
        assertThatThrownBy(() -> HttpSetting.MAX_CONNECTIONS.check(-1))
                .hasMessage("expected a number from 1 to 1000000, found -1");
    }

    @ParameterizedTest
    @EnumSource
    void everyDefaultIsInRangeAndReadsAsItIsWritten(HttpSetting setting) throws InvalidSetting {
        assertThat(setting.parse(setting.defaultText())).isEqualTo(setting.byDefault());
        assertThat(HttpSetting.of(setting.key())).contains(setting);
    }

    @ParameterizedTest
    @EnumSource
    void everySettingStandsInTheDocumentWithItsDefault(HttpSetting setting) throws IOException {
        String row = "| `%s` | `%s` | ".formatted(setting.key(), setting.defaultText());

        assertThat(Files.readString(Path.of("../docs/networking.md"))).contains(row);
    }

    @Test
    void settingsAreReplacedOneByOne() {
        HttpSettings settings = HttpSettings.DEFAULTS.with(Map.of(HttpSetting.DRAIN, 0L));

        assertThat(settings.get(HttpSetting.DRAIN)).isZero();
        assertThat(settings.get(HttpSetting.REQUEST_TIMEOUT)).isEqualTo(60_000);
        assertThat(HttpSettings.DEFAULTS.get(HttpSetting.DRAIN)).isEqualTo(3_000);
    }
}
