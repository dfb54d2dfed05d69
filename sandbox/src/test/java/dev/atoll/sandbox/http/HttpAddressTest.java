package dev.atoll.sandbox.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpAddressTest {
    @Test
    void withoutVariablesItIsPort8080OfAllAddresses() {
        assertThat(HttpAddress.of(List.of("PATH=/bin", "XPORT=1", "PORTS=2"))).isEqualTo(":8080");
    }

    @Test
    void anEmptyVariableCountsAsAbsent() {
        assertThat(HttpAddress.of(List.of("WASMTIME_HTTP_PROXY_SOCKET_ADDR=", "PORT=")))
                .isEqualTo(":8080");
    }

    @ParameterizedTest
    @CsvSource({"80, :80", "1, :1", "65535, :65535", "08080, :8080"})
    void aPortIsThatOfAllAddresses(String port, String address) {
        assertThat(HttpAddress.of(List.of("PORT=" + port))).isEqualTo(address);
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0:80, 0.0.0.0:80",
        "127.0.0.1:65535, 127.0.0.1:65535",
        "[::]:8080, [::]:8080",
        "[::1]:9, [::1]:9",
        "[::ffff:10.0.0.1]:9, [::ffff:10.0.0.1]:9",
        ":7, :7"
    })
    void anAddressComesBeforeThePort(String value, String address) {
        assertThat(HttpAddress.of(List.of("PORT=1", "WASMTIME_HTTP_PROXY_SOCKET_ADDR=" + value)))
                .isEqualTo(address);
    }

    @Test
    void theLaterOfTwoCounts() {
        assertThat(HttpAddress.of(List.of("PORT=1", "PORT=2"))).isEqualTo(":2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "65536",
                "-1",
                "http",
                "80 ",
                "8080/tcp",
                "tcp://10.0.0.1:80",
                "123456"
            })
    void aWrongPortIsNamed(String port) {
        assertThatThrownBy(() -> HttpAddress.of(List.of("PORT=" + port)))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessage(
                        "environment variable PORT: expected a port from 1 to 65535, found \"%s\""
                                .formatted(port));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "8080",
                "localhost:8080",
                "0.0.0.0",
                "0.0.0.0:",
                "0.0.0.0:0",
                "0.0.0.0:99999",
                "0.0.0:80",
                "256.0.0.1:80",
                "01.2.3.4:80",
                "::1:80",
                "[::1",
                "[]:80",
                "[1.2.3.4]:80",
                "[fe80::1%eth0]:80",
                "[::g]:80"
            })
    void aWrongAddressIsNamed(String address) {
        assertThatThrownBy(
                        () -> HttpAddress.of(List.of("WASMTIME_HTTP_PROXY_SOCKET_ADDR=" + address)))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessage(
                        "environment variable WASMTIME_HTTP_PROXY_SOCKET_ADDR: expected ADDRESS:PORT with an IP address and a port from 1 to 65535, such as 0.0.0.0:8080, [::]:8080 or :8080, found \"%s\""
                                .formatted(address));
    }
}
