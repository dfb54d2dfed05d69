package dev.atoll.oci.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.InvalidSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RuntimeSpecReaderTest {
    static final String WORKLOAD =
            """
            {"ociVersion":"1.2.0",
             "process":{"terminal":true,"user":{"uid":1000,"gid":100,"umask":18,"additionalGids":[100,7]},
               "args":["/app.wasm","x"],"env":["A=b"],"cwd":"/data","capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL","CAP_FOWNER"],"ambient":["CAP_KILL"]},
               "rlimits":[{"type":"RLIMIT_CORE","soft":0,"hard":0},{"type":"RLIMIT_NOFILE","soft":1024,"hard":2048}]},
             "root":{"path":"rootfs","readonly":true},
             "hostname":"pod",
             "mounts":[{"destination":"/data","type":"bind","source":"/src","options":["rbind","ro"]},
               {"destination":"/x"}],
             "annotations":{"io.kubernetes.cri.container-type":"container",
               "io.kubernetes.cri.sandbox-id":"s1","io.kubernetes.cri.container-name":"web"},
             "linux":{"namespaces":[{"type":"pid"},{"type":"network","path":"/var/run/netns/cni-1"}],
               "cgroupsPath":"/kubepods/x","devices":[{"path":"/dev/fuse","type":"c"}],"maskedPaths":["/proc/kcore"],
               "resources":{"memory":{"limit":1048576},"cpu":{"shares":51,"quota":-1,"period":100000,"burst":7},
                 "unified":{"memory.oom.group":"1"}}},
             "unknown":{"more":[1,2.5,null]}}
            """;

    @TempDir private Path bundle;

    @Test
    void specIsReadIntoItsRecords() throws IOException {
        Files.writeString(bundle.resolve("config.json"), WORKLOAD);

        RuntimeSpec spec = RuntimeSpecReader.read(bundle, "a1");

        RuntimeSpec.ProcessSpec process = spec.process().orElseThrow();
        assertThat(process.args()).containsExactly("/app.wasm", "x");
        assertThat(process.env()).containsExactly("A=b");
        assertThat(process.cwd()).isEqualTo("/data");
        assertThat(process.terminal()).isTrue();
        assertThat(process.user())
                .isEqualTo(new RuntimeSpec.User(1000, 100, List.of(100L, 7L), Optional.of(18L)));
        assertThat(process.capabilities())
                .isEqualTo(
                        new RuntimeSpec.Capabilities(
                                List.of("CAP_KILL", "CAP_FOWNER"), List.of("CAP_KILL")));
        assertThat(process.openFiles()).contains(1024L);
        assertThat(spec.root()).isEqualTo(new RuntimeSpec.Root("rootfs", true));
        assertThat(spec.mounts())
                .containsExactly(
                        new RuntimeSpec.MountSpec("/data", "bind", "/src", List.of("rbind", "ro")),
                        new RuntimeSpec.MountSpec("/x", "", "", List.of()));
        assertThat(spec.linux().networkNamespace()).contains(Path.of("/var/run/netns/cni-1"));
        assertThat(spec.linux().devices()).containsExactly("/dev/fuse");
        assertThat(spec.linux().masked()).isTrue();
        assertThat(spec.linux().namespace("pid").isPresent()).isTrue();
        assertThat(spec.linux().namespace("user").isPresent()).isFalse();
        assertThat(spec.linux().resources())
                .isEqualTo(
                        new RuntimeSpec.Resources(
                                Optional.of(1048576L),
                                Optional.of(51L),
                                Optional.of(-1L),
                                Optional.of(100000L),
                                Optional.of(7L),
                                true));
        CriAnnotations cri = CriAnnotations.of(spec);
        assertThat(cri.isSandbox()).isFalse();
        assertThat(cri.sandboxId()).contains("s1");
        assertThat(cri.containerName()).contains("web");
        assertThat(cri.imageName()).isEmpty();
    }

    @Test
    void smallestSpecHasNoProcessAndNoNamespaces() {
        RuntimeSpec spec = parse("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"}}");

        assertThat(spec.process()).isEmpty();
        assertThat(spec.linux().hasNetworkNamespace()).isFalse();
        assertThat(spec.annotations()).isEqualTo(Map.of());
    }

    @Test
    void rootKeepsItsEffectiveCapabilitiesAndOthersTheAmbientOnes() {
        String root = WORKLOAD.replace("\"uid\":1000", "\"uid\":0");

        assertThat(parse(root).process().orElseThrow().heldCapabilities())
                .containsExactly("CAP_KILL", "CAP_FOWNER");
        assertThat(parse(WORKLOAD).process().orElseThrow().heldCapabilities())
                .containsExactly("CAP_KILL");
    }

    @Test
    void aLimitOfOpenFilesMayBeInfinite() {
        String infinite = WORKLOAD.replace("\"soft\":1024", "\"soft\":18446744073709551615");

        assertThat(parse(infinite).process().orElseThrow().openFiles()).contains(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"umask\":18 | \"umask\":512 | process.user.umask: expected a number from 0 to 511, found 512",
                "\"soft\":1024 | \"soft\":-1 | process.rlimits[1].soft: expected an integer without a sign, found a number",
                "\"args\":[\"/app.wasm\",\"x\"] | \"args\":5 | process.args: expected an array of strings, found a number",
                "\"args\":[\"/app.wasm\",\"x\"] | \"args\":[\"a\",null] | process.args[1]: expected a string, found null",
                "\"args\":[\"/app.wasm\",\"x\"] | \"args\":[] | process: args: expected at least one string, found none",
                "\"args\":[\"/app.wasm\",\"x\"] | \"args\":[\"a\\u0000\"] | process.args[0]: expected a string without NUL characters, found one with",
                "\"uid\":1000 | \"uid\":-1 | process.user.uid: expected a number from 0 to 4294967294, found -1",
                "\"uid\":1000 | \"uid\":1.5 | process.user.uid: expected an integer, found the number 1.5",
                "\"uid\":1000 | \"uid\":1e999999999 | process.user.uid: expected an integer, found the number 1e999999999",
                "\"limit\":1048576 | \"limit\":9999999999999999999 | linux.resources.memory.limit: expected an integer of 64 bits, found 9999999999999999999",
                "\"readonly\":true | \"readonly\":1 | root.readonly: expected true or false, found a number",
                "\"path\":\"rootfs\", | '' | root.path: expected a string, found nothing",
                "\"hostname\":\"pod\" | \"hostname\":{} | hostname: expected a string, found an object",
                "\"destination\":\"/x\" | \"destination\":\"x\" | mounts[1]: destination: expected an absolute path, found another",
                "\"cwd\":\"/data\" | \"cwd\":\"\" | process: cwd: expected an absolute path, found a relative one",
                "\"ociVersion\":\"1.2.0\" | \"ociVersion\":[] | ociVersion: expected a string, found an array",
                "\"annotations\":{ | \"annotations\":{\"k\":3, | annotations.k: expected a string, found a number",
            })
    void wrongValueIsNamedByItsPath(String right, String wrong, String message) {
        assertThat(WORKLOAD).contains(right);
        assertThatThrownBy(() -> parse(WORKLOAD.replace(right, wrong)))
                .isInstanceOf(InvalidSpec.class)
                .hasMessage("config.json of container a1: " + message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | the document is empty: expected a JSON object",
                "'  ' | the document is empty: expected a JSON object",
                "[] | expected an object, found an array",
                "null | expected an object, found null",
                "{ | malformed JSON: End of input",
                "{'a':1} | malformed JSON: unexpected text at line 1",
                "{} {} | malformed JSON: ",
                "NaN | malformed JSON: ",
            })
    void whatIsNoJsonObjectIsMalformed(String text, String message) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageStartingWith("config.json of container a1: " + message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void deepNestingIsRefused() {
        String deep = "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";

        assertThatThrownBy(() -> parse(deep))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageContaining("esting limit");
    }

    @Test
    void missingFileIsNamed() {
        assertThatThrownBy(() -> RuntimeSpecReader.read(bundle, "a1"))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageContaining("there is no file " + bundle.resolve("config.json"));
    }

    @Test
    void tooLargeFileIsNotParsed() throws IOException {
        Files.writeString(bundle.resolve("config.json"), " ".repeat((4 << 20) + 7));

        assertThatThrownBy(() -> RuntimeSpecReader.read(bundle, "a1"))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageEndingWith(
                        "the document has 4194311 bytes: at most 4194304 are accepted");
    }

    @Test
    void argumentsBeyondTheLimitsAreRefused() {
        String many = "\"a\",".repeat(4097);
        assertThatThrownBy(() -> parse(WORKLOAD.replace("\"/app.wasm\",", many)))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageEndingWith("process.args: expected at most 4096 entries, found 4098");

        String large = "x".repeat(2 << 20);
        assertThatThrownBy(() -> parse(WORKLOAD.replace("A=b", large)))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageEndingWith(
                        "process: args and env: expected at most 2097152 bytes together, found 2097165");
    }

    private static RuntimeSpec parse(String text) {
        return RuntimeSpecReader.parse(text.getBytes(StandardCharsets.UTF_8), "a1");
    }
}
