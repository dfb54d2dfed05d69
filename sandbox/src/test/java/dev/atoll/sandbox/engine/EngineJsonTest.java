package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.GuestNetwork;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class EngineJsonTest {
    @Test
    void aViewHasRootAndMountsInOrder() {
        ViewRequest request =
                new ViewRequest(
                        List.of(new RootfsMount("overlay", "overlay", "", List.of("lowerdir=/a"))),
                        "/b/rootfs",
                        true,
                        List.of(
                                ViewRequest.ViewMount.bind("/data", "/host", true, true),
                                ViewRequest.ViewMount.tmpfs("/run", false, List.of("size=64k"))));

        assertThat(EngineJson.view(request))
                .isEqualTo(
                        """
                        {"rootfs":[{"type":"overlay","source":"overlay","options":["lowerdir=/a"]}],\
                        "rootDirectory":"/b/rootfs","readonly":true,"mounts":[\
                        {"destination":"/data","source":"/host","type":"bind","readonly":true,"recursive":true,"options":[]},\
                        {"destination":"/run","type":"tmpfs","readonly":false,"recursive":false,"options":["size=64k"]}]}\
                        """);
    }

    @Test
    void aGuestLeavesOutStreamsAndExportThatItHasNot() {
        GuestSpec spec =
                new GuestSpec(
                        "k8s.io/a",
                        List.of("/app.wasm", "\"quoted\""),
                        List.of("K=V"),
                        "/",
                        Optional.empty(),
                        new Stdio("", "/out", ""),
                        Optional.empty(),
                        new Resources(
                                Optional.of(65536L),
                                Optional.of(2L),
                                Optional.of(25_000L),
                                Optional.of(100_000L),
                                Optional.empty(),
                                false),
                        Optional.empty(),
                        new GuestUser(
                                1000,
                                100,
                                List.of(7L, 8L),
                                Optional.of(18L),
                                List.of("CAP_FOWNER")),
                        1024,
                        new NetworkSpec(
                                new GuestNetwork.InNamespace(Path.of("/run/netns/a")),
                                new Policy(9)),
                        Optional.empty());

        assertThat(EngineJson.guest(spec, 3))
                .isEqualTo(
                        """
                        {"name":"k8s.io/a","view":3,"args":["/app.wasm","\\"quoted\\""],"env":["K=V"],\
                        "cwd":"/","stdout":"/out","memoryLimit":65536,\
                        "cpu":{"quotaMicros":25000,"periodMicros":100000,"shares":2},\
                        "user":{"uid":1000,"gid":100,"groups":[7,8],"umask":18,"capabilities":["CAP_FOWNER"]},\
                        "maxOpenFiles":1024,"network":{"namespace":"/run/netns/a","policy":9}}\
                        """);
    }

    @Test
    void anUpdateSaysWhatChangesAndNoLimitIsZero() {
        assertThat(EngineJson.update(Resources.NONE)).isEqualTo("{\"cpu\":{}}");
        assertThat(EngineJson.update(Resources.NONE.withMemoryLimit(-1).withCpuQuota(-1)))
                .isEqualTo("{\"memoryLimit\":0,\"cpu\":{\"quotaMicros\":-1}}");
    }

    @Test
    void aGuestNamesTheExportToCall() {
        assertThat(
                        EngineJson.guest(
                                spec(
                                        Optional.of("run"),
                                        new GuestNetwork.OfTheNode(),
                                        Optional.empty()),
                                1))
                .contains("\"export\":\"run\"");
    }

    @Test
    void aTerminalHasItsSize() {
        assertThat(
                        EngineJson.guest(
                                spec(
                                        Optional.empty(),
                                        new GuestNetwork.OfTheNode(),
                                        Optional.empty()),
                                1))
                .contains("\"terminal\":{\"columns\":80,\"rows\":24},");
    }

    @Test
    void theNodesNetworkHasNoNamespaceAndAFreshOneSaysSo() {
        assertThat(
                        EngineJson.guest(
                                spec(
                                        Optional.empty(),
                                        new GuestNetwork.OfTheNode(),
                                        Optional.empty()),
                                1))
                .endsWith("\"network\":{\"policy\":2}}");
        assertThat(
                        EngineJson.guest(
                                spec(Optional.empty(), new GuestNetwork.Fresh(), Optional.empty()),
                                1))
                .endsWith("\"network\":{\"fresh\":true,\"policy\":2}}");
    }

    @Test
    void aServerHasItsAddressAndAllSettings() {
        String json =
                EngineJson.guest(
                        spec(
                                Optional.empty(),
                                new GuestNetwork.Fresh(),
                                Optional.of(new HttpSpec(":8080", HttpSettings.DEFAULTS))),
                        1);

        assertThat(json)
                .endsWith(
                        """
                        "http":{"address":":8080","requestTimeoutMillis":60000,"headerTimeoutMillis":10000,\
                        "idleTimeoutMillis":120000,"stallTimeoutMillis":30000,"maxHeaderBytes":65536,"maxBodyBytes":0,\
                        "maxConcurrent":100,"maxQueued":1000,"queueTimeoutMillis":10000,"maxConnections":16384,\
                        "reuseRequests":1,"reuseIdleMillis":10000,"drainMillis":3000}}\
                        """);
    }

    @Test
    void aPolicyLeavesOutAllowWhereEverythingIsAllowed() {
        assertThat(EngineJson.policy("default", NetworkPolicy.DEFAULT))
                .isEqualTo(
                        """
                        {"name":"default","deny":["169.254.169.254","fd00:ec2::254"],"maxSockets":1024}\
                        """);
        assertThat(EngineJson.policy("x", new NetworkPolicy(Optional.of(List.of()), List.of(), 0)))
                .isEqualTo(
                        """
                        {"name":"x","allow":[],"deny":[],"maxSockets":0}\
                        """);
    }

    private static GuestSpec spec(
            Optional<String> export, GuestNetwork network, Optional<HttpSpec> http) {
        return new GuestSpec(
                "a",
                List.of("x"),
                List.of(),
                "/",
                export,
                Stdio.NONE,
                Optional.of(new TerminalSize(80, 24)),
                Resources.NONE,
                Optional.empty(),
                new GuestUser(0, 0, List.of(), Optional.empty(), List.of()),
                0,
                new NetworkSpec(network, new Policy(2)),
                http);
    }

    @Test
    void compilingNamesSourceAndOutput() {
        assertThat(EngineJson.compile("pod", "p", Path.of("/s"), Path.of("/o")))
                .isEqualTo(
                        "{\"name\":\"p\",\"owner\":\"pod\",\"source\":\"/s\",\"output\":\"/o\"}");
    }

    @Test
    void whatIsNotJsonIsTheEnginesFailure() {
        assertThatThrownBy(() -> EngineJson.parse(EngineFunction.MODULE_INFO, "{"))
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("atoll_module_info");
    }
}
