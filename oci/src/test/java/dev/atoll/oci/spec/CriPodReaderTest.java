package dev.atoll.oci.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.Mutations;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CriPodReaderTest {
    private static final ContainerKey PAUSE = new ContainerKey("k8s.io", "p1");

    /// As containerd 2.1 writes it, shortened.
    private static final String METADATA =
            """
            {"Version":"v1","Metadata":{"ID":"p1","Name":"web_default_u1_0","Config":{"metadata":{\
            "name":"web","uid":"u1","namespace":"default"},"hostname":"web","log_directory":"/var/log/pods",\
            "dns_config":{"servers":["10.96.0.10"]},"labels":{"app":"web"},"annotations":{\
            "atoll.dev/http-drain":"1s","kubernetes.io/config.source":"api"},"linux":{"cgroup_parent":"/kubepods"}},\
            "NetNSPath":"/var/run/netns/cni-1","IP":"10.0.0.7","AdditionalIPs":null,"RuntimeHandler":"wasmtime",\
            "CNIResult":{"Interfaces":{}},"ProcessLabel":""}}\
            """;

    private static CriPod parse(String json) {
        return CriPodReader.parse(json.getBytes(UTF_8), PAUSE);
    }

    @Test
    void handlerAndAnnotationsAreRead() {
        assertThat(parse(METADATA))
                .isEqualTo(
                        new CriPod(
                                Optional.of("wasmtime"),
                                Map.of(
                                        "atoll.dev/http-drain",
                                        "1s",
                                        "kubernetes.io/config.source",
                                        "api")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"Version\":\"v1\",\"Metadata\":{}}",
                "{\"Version\":\"v1\",\"Metadata\":{\"Config\":null,\"RuntimeHandler\":\"\"}}",
                "{\"Version\":\"v1\",\"Metadata\":{\"Config\":{\"annotations\":null}}}"
            })
    void whatIsAbsentIsNothing(String json) {
        assertThat(parse(json)).isEqualTo(CriPod.NONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|Version: expected a string, found nothing",
                "{\"Version\":\"v9\",\"Metadata\":{}}|Version: expected v1, found another: this Atoll does not know this version of containerd",
                "{\"Version\":\"v1\"}|Metadata: expected an object, found nothing",
                "{\"Version\":\"v1\",\"Metadata\":[]}|Metadata: expected an object, found an array",
                "{\"Version\":\"v1\",\"Metadata\":{\"RuntimeHandler\":1}}|Metadata.RuntimeHandler: expected a string, found a number",
                "{\"Version\":\"v1\",\"Metadata\":{\"Config\":{\"annotations\":[]}}}|Metadata.Config.annotations: expected an object of strings, found an array",
                "{\"Version\":\"v1\",\"Metadata\":{\"Config\":{\"annotations\":{\"a\":1}}}}|Metadata.Config.annotations.a: expected a string, found a number"
            })
    void whatIsNotUnderstoodIsNamed(String json, String message) {
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(InvalidSpec.class)
                .hasMessage("containerd's metadata of pod sandbox k8s.io/p1: " + message);
    }

    @Test
    void moreThanItsBoundIsRefused() {
        assertThatThrownBy(() -> CriPodReader.parse(new byte[CriPodReader.MAX_BYTES + 1], PAUSE))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageContaining("at most 4194304 are accepted");
    }

    @Test
    void brokenMetadataGivesARecordOrInvalidSpecInOneLine() {
        var mutations = new Mutations(1);
        byte[] valid = METADATA.getBytes(UTF_8);
        for (int i = 0; i < 10_000; i++) {
            byte[] bytes = mutations.of(valid);
            try {
                CriPodReader.parse(bytes, PAUSE);
            } catch (InvalidSpec e) {
                if (String.valueOf(e.getMessage()).contains("\n")) {
                    fail("two lines: %s", e.getMessage());
                }
            } catch (RuntimeException e) {
                fail("run %d: %s".formatted(i, new String(bytes, UTF_8)), e);
            }
        }
    }
}
