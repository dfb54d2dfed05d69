package dev.atoll.shim.config;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.atoll.sandbox.guest.GuestDefaults;
import dev.atoll.sandbox.guest.HandlerSettings;
import dev.atoll.sandbox.guest.MemoryShare;
import dev.atoll.sandbox.guest.NodeLimits;
import dev.atoll.sandbox.guest.NodeSettings;
import dev.atoll.sandbox.http.HttpSetting;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class NodeConfigTest {
    /// Every key, with its default.
    private static final String DEFAULTS =
            """
            [http]
            request-timeout = "60s"
            header-timeout = "10s"
            idle-timeout = "120s"
            stall-timeout = "30s"
            max-header-bytes = 65536
            max-body-bytes = 0
            max-concurrent-requests = 100
            max-queued-requests = 1000
            queue-timeout = "10s"
            max-connections = 16384
            reuse-requests = 1
            reuse-idle = "10s"
            drain = "3s"

            [network]
            deny = ["169.254.169.254", "fd00:ec2::254"]
            max-sockets = 1024

            [native]
            containers = "allow"
            runtime = "containerd-shim-runc-v2"
            """;

    @TempDir private Path directory;

    private static NodeSettings parse(String text) throws InvalidConfig {
        return TomlSettings.parse("f", text);
    }

    @Test
    void theDefaultFileMayBeMissing() throws InvalidConfig {
        assertThat(NodeConfig.read(directory.resolve("none.toml"), false))
                .isEqualTo(NodeSettings.DEFAULTS);
    }

    @Test
    void aNamedFileMustBeThere() {
        Path file = directory.resolve("none.toml");

        assertThatThrownBy(() -> NodeConfig.read(Optional.of(file)))
                .isInstanceOf(InvalidConfig.class)
                .hasMessage(
                        "configuration file %s does not exist: make it, or name another by --config"
                                .formatted(file));
    }

    @Test
    void whatIsNoTextFileIsRefused() throws IOException {
        assertThatThrownBy(() -> NodeConfig.read(Optional.of(directory)))
                .isInstanceOf(InvalidConfig.class)
                .hasMessageContaining("cannot be read: Is a directory");
        Path latin = Files.writeString(directory.resolve("latin.toml"), "# \u00e9", ISO_8859_1);
        assertThatThrownBy(() -> NodeConfig.read(Optional.of(latin)))
                .hasMessageContaining("is not UTF-8 text");
        Path large = Files.write(directory.resolve("large.toml"), new byte[(1 << 20) + 1]);
        assertThatThrownBy(() -> NodeConfig.read(Optional.of(large)))
                .hasMessageContaining("has more than 1048576 bytes");
    }

    @Test
    void anEmptyFileGivesTheDefaults() throws InvalidConfig {
        assertThat(parse("# nothing yet\n")).isEqualTo(NodeSettings.DEFAULTS);
    }

    @Test
    void everyDefaultCanBeWritten() throws InvalidConfig {
        NodeSettings settings = parse(DEFAULTS);

        assertThat(settings.defaults().http()).isEqualTo(HttpSettings.DEFAULTS);
        assertThat(settings.defaults().network()).isEqualTo(NetworkPolicy.DEFAULT);
        for (HttpSetting setting : HttpSetting.values()) {
            assertThat(DEFAULTS).contains("\n" + setting.key() + " = ");
        }
    }

    @Test
    void aHandlerReplacesSingleKeys() throws IOException {
        Path file =
                Files.writeString(
                        directory.resolve("config.toml"),
                        """
                        [http]
                        drain = "5s"
                        max-header-bytes = "32KiB"
                        [network]
                        deny = ["10.0.0.1"]
                        [handlers.restricted.network]
                        allow = ["*.svc.cluster.local"]
                        [handlers.slow]
                        http.request-timeout = "10m"
                        """);

        NodeSettings settings = NodeConfig.read(Optional.of(file));

        HttpSettings http =
                HttpSettings.DEFAULTS.with(
                        Map.of(
                                HttpSetting.DRAIN, 5_000L,
                                HttpSetting.MAX_HEADER_BYTES, 32_768L));
        NetworkPolicy network = NetworkPolicy.DEFAULT.withDeny(List.of("10.0.0.1"));
        assertThat(settings)
                .isEqualTo(
                        new NodeSettings(
                                new HandlerSettings(http, network, file + ": network"),
                                Map.of(
                                        "restricted",
                                        new HandlerSettings(
                                                http,
                                                network.withAllow(List.of("*.svc.cluster.local")),
                                                file + ": handlers.restricted.network"),
                                        "slow",
                                        new HandlerSettings(
                                                http.with(
                                                        Map.of(
                                                                HttpSetting.REQUEST_TIMEOUT,
                                                                600_000L)),
                                                network,
                                                file + ": network")),
                                NodeLimits.DEFAULTS));
    }

    @Test
    void nothingAllowedIsNotTheSameAsEverything() throws InvalidConfig {
        assertThat(parse("network.allow = []").defaults().network().allow()).contains(List.of());
        assertThat(parse("network.deny = []").defaults().network())
                .isEqualTo(new NetworkPolicy(Optional.empty(), List.of(), 1_024));
    }

    @Test
    void limitsAreReadInEveryForm() throws InvalidConfig {
        assertThat(parse("").limits()).isEqualTo(NodeLimits.DEFAULTS);
        assertThat(parse("[limits]\n").limits()).isEqualTo(NodeLimits.DEFAULTS);
        assertThat(
                        parse(
                                        """
                                        [limits]
                                        memory = "70%"
                                        memory-per-guest = "64MiB"
                                        cpu-per-guest = 0.5
                                        """)
                                .limits())
                .isEqualTo(
                        new NodeLimits(
                                new MemoryShare.Percent(70), new GuestDefaults(64 << 20, 500)));
        assertThat(parse("limits.memory = '4Gi'").limits().memory())
                .isEqualTo(new MemoryShare.Bytes(4L << 30));
        assertThat(parse("limits.memory = 1000000").limits().memory())
                .isEqualTo(new MemoryShare.Bytes(1_000_000));
        assertThat(parse("limits.cpu-per-guest = '250m'").limits().guests().cpuMillis())
                .isEqualTo(250);
        assertThat(parse("limits.cpu-per-guest = 2").limits().guests().cpuMillis()).isEqualTo(2000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "x = 1|f line 1: x: unknown key: expected one of http, network, limits, native, handlers; the nearest is http",
                "htpp.drain = '1s'|f line 1: htpp: unknown key: expected one of http, network, limits, native, handlers; the nearest is http",
                "http = 3|f line 1: http: expected a table, found 3",
                "network = 'all'|f line 1: network: expected a table, found the text \"all\"",
                "handlers = []|f line 1: handlers: expected a table, found an array",
                "handlers.x = true|f line 1: handlers.x: expected a table, found true",
                "handlers.x.policy = 1|f line 1: handlers.x.policy: unknown key: expected one of http, network, native; the nearest is native",
                "native.containers = true|f line 1: native.containers: expected \"allow\" or \"refuse\", found true",
                "native.runtime = 'bin/x'|f line 1: native.runtime: expected an absolute path, or a name such as \"containerd-shim-runc-v2\", found the text \"bin/x\"",
                "handlers.x.native.runtime = '/x'|f line 1: handlers.x.native.runtime: unknown key: expected one of containers; the nearest is containers",
                "network.alow = []|f line 1: network.alow: unknown key: expected one of allow, deny, max-sockets; the nearest is allow",
                "http.drain = 3|f line 1: http.drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found 3",
                "http.drain = '3'|f line 1: http.drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found \"3\"",
                "http.drain = '2h'|f line 1: http.drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found \"2h\"",
                "http.drain = 1.5|f line 1: http.drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found 1.5",
                "http.drain = ['1s']|f line 1: http.drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found an array",
                "http.drain = 2026-01-01|f line 1: http.drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found a date or time",
                "http.max-header-bytes = 100|f line 1: http.max-header-bytes: expected a number of bytes from 8KiB to 1MiB, such as 65536, 64KiB or 1MiB, found 100",
                "http.max-connections = 0|f line 1: http.max-connections: expected a number from 1 to 1000000, found 0",
                "http.max-connections = '5'|f line 1: http.max-connections: expected a number from 1 to 1000000, found the text \"5\"",
                "network.max-sockets = -1|f line 1: network.max-sockets: expected a number from 0 to 1048576, found -1",
                "network.max-sockets = '1'|f line 1: network.max-sockets: expected a number from 0 to 1048576, found the text \"1\"",
                "network.allow = '*'|f line 1: network.allow: expected an array of at most 4096 texts, found the text \"*\"",
                "network.deny = [1]|f line 1: network.deny: expected texts only, found 1",
                "limits.memry = 1|f line 1: limits.memry: unknown key: expected one of memory, memory-per-guest, cpu-per-guest; the nearest is memory",
                "limits.memory = '0%'|f line 1: limits.memory: expected a number of bytes from 64KiB, such as 4GiB, or 1% to 999% of the node's, found the text \"0%\"",
                "limits.memory = 1.5|f line 1: limits.memory: expected a number of bytes from 64KiB, such as 4GiB, or 1% to 999% of the node's, found 1.5",
                "limits.memory-per-guest = 0|f line 1: limits.memory-per-guest: expected a number of bytes from 64KiB, such as 64MiB, found 0",
                "limits.cpu-per-guest = 'half'|f line 1: limits.cpu-per-guest: expected cores from 0.01 to 1000, such as 0.5 or \"500m\", found the text \"half\"",
                "limits.cpu-per-guest = '1m'|f line 1: limits.cpu-per-guest: expected cores from 0.01 to 1000, such as 0.5 or \"500m\", found the text \"1m\"",
                "handlers.a.http.drian = '1s'|f line 1: handlers.a.http.drian: unknown key: expected one of request-timeout, header-timeout, idle-timeout, stall-timeout, max-header-bytes, max-body-bytes, max-concurrent-requests, max-queued-requests, queue-timeout, max-connections, reuse-requests, reuse-idle, drain; the nearest is drain"
            })
    void whatIsNotAccepted(String line, String message) {
        assertThatThrownBy(() -> parse(line)).isInstanceOf(InvalidConfig.class).hasMessage(message);
    }

    @Test
    void nativeContainersAreAllowedForEachHandlerAlone() throws InvalidConfig {
        NodeSettings settings =
                parse(
                        "[native]\ncontainers = 'refuse'\nruntime = '/opt/shim'\n[handlers.mixed.native]\ncontainers = 'allow'\n");

        assertThat(settings.nativeRuntime()).isEqualTo("/opt/shim");
        assertThat(settings.defaults().nativeContainers()).isFalse();
        assertThat(settings.handlers().get("mixed"))
                .isEqualTo(settings.defaults().withNativeContainers(true));
    }

    @Test
    void theLineIsThatOfTheKey() {
        assertThatThrownBy(() -> parse("# one\n[http]\ndrain = '1s'\nidle-timeout = 0\n"))
                .hasMessageStartingWith("f line 4: http.idle-timeout: ");
        assertThatThrownBy(() -> parse("[handlers.a.http]\n\n[handlers.b]\nx = 1"))
                .hasMessageStartingWith("f line 4: handlers.b.x: unknown key");
    }

    @Test
    void moreRulesThanAnybodyWritesAreRefused() {
        String rules = "\"*\",".repeat(NetworkPolicy.MOST_RULES + 1);

        assertThatThrownBy(() -> parse("network.deny = [" + rules + "]"))
                .hasMessage(
                        "f line 1: network.deny: expected an array of at most 4096 texts, found 4097");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "http = |f line 1: malformed TOML: ",
                "[http|f line 1: malformed TOML: ",
                "http.drain = '1s' http.drain = '2s'|f line 1: malformed TOML: "
            })
    void malformedTomlIsSaidToBeSo(String line, String start) {
        assertThatThrownBy(() -> parse(line))
                .isInstanceOf(InvalidConfig.class)
                .hasMessageStartingWith(start);
    }

    @Test
    void aKeyThatIsWrittenTwiceIsMalformed() {
        assertThatThrownBy(() -> parse("[http]\ndrain = '1s'\ndrain = '2s'\n"))
                .isInstanceOf(InvalidConfig.class)
                .hasMessageStartingWith("f line 3: malformed TOML: ");
    }

    /// Only root writes the file; an editor's accident must still come out as one line.
    @Test
    void brokenFilesGiveSettingsOrInvalidConfigInOneLine() {
        var random = new Random(1);
        for (int i = 0; i < 500; i++) {
            var text = new StringBuilder(DEFAULTS);
            for (int change = 0; change < 3; change++) {
                int at = random.nextInt(text.length());
                text.replace(
                        at,
                        Math.min(text.length(), at + random.nextInt(3)),
                        String.valueOf("[]\"'=.#\n a0-".charAt(random.nextInt(12))));
            }
            try {
                parse(text.toString());
            } catch (InvalidConfig e) {
                assertThat(e.getMessage()).doesNotContain("\n").startsWith("f");
            } catch (RuntimeException e) {
                fail("run %d: %s".formatted(i, text), e);
            }
        }
    }
}
