package dev.atoll.sandbox.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class HttpAnnotationsTest {
    @ParameterizedTest
    @EnumSource
    void everySettingIsAnAnnotation(HttpSetting setting) {
        assertThat(
                        HttpAnnotations.apply(
                                HttpSettings.DEFAULTS,
                                Map.of("atoll.dev/http-" + setting.key(), setting.defaultText())))
                .isEqualTo(HttpSettings.DEFAULTS);
    }

    @Test
    void anAnnotationReplacesOneSettingAndOthersAreNotLookedAt() {
        HttpSettings settings =
                HttpAnnotations.apply(
                        HttpSettings.DEFAULTS,
                        Map.of(
                                "atoll.dev/http-request-timeout", "5s",
                                "atoll.dev/http-max-concurrent-requests", "7",
                                "atoll.dev/other", "x",
                                "example.com/http-drain", "x"));

        assertThat(settings)
                .isEqualTo(
                        HttpSettings.DEFAULTS.with(
                                Map.of(
                                        HttpSetting.REQUEST_TIMEOUT, 5_000L,
                                        HttpSetting.MAX_CONCURRENT_REQUESTS, 7L)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "atoll.dev/http-request-timeout|fast|annotation atoll.dev/http-request-timeout: expected a duration from 10ms to 24h, such as 500ms, 10s, 2m or 1h, found \"fast\"",
                "atoll.dev/http-reuse-requests|0|annotation atoll.dev/http-reuse-requests: expected a number from 1 to 1000000, found \"0\"",
                "atoll.dev/http-request-timeuot|1s|annotation atoll.dev/http-request-timeuot is not known: the nearest known is atoll.dev/http-request-timeout; correct or remove it",
                "atoll.dev/http-|1s|annotation atoll.dev/http- is not known: the nearest known is atoll.dev/http-drain; correct or remove it",
                "atoll.dev/http-maxConnections|1s|annotation atoll.dev/http-maxConnections is not known: the nearest known is atoll.dev/http-max-connections; correct or remove it"
            })
    void aWrongOneIsRefusedInOneSentence(String name, String value, String message) {
        assertThatThrownBy(() ->
                        HttpAnnotations.apply(
                                HttpSettings.DEFAULTS,
                                Map.of("atoll.dev/http-drain", "1s", name, value)))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessage(message);
    }

    @Test
    void hostileTextStaysOnOneLine() {
        assertThatThrownBy(() ->
                        HttpAnnotations.apply(
                                HttpSettings.DEFAULTS,
                                Map.of("atoll.dev/http-drain", "1\n" + "x".repeat(9_000))))
                .satisfies(failure ->
                        assertThat(failure.getMessage()).doesNotContain("\n").hasSizeLessThan(500));
    }
}
