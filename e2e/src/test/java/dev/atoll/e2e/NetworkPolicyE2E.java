package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.net.NameServer;
import dev.atoll.e2e.net.Origin;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.e2e.pod.PodRequest;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What an operator lets guests reach: by default everything but the cloud's metadata, for the
/// handler `wasmtime-restricted` what `e2e/node/boot` writes into the node's configuration.
@EveryNode
class NetworkPolicyE2E {
    private static final String METADATA = "169.254.169.254";
    private static final String RESTRICTED = "wasmtime-restricted";
    private static final String ORIGIN = "10.96.0.30";

    private final TestNode on;

    NetworkPolicyE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "a policy is Atoll's");
    }

    private PodContainer connecting(Pod pod, String address) {
        return pod.start(on.guestOf("guest.p2.wasm", "tcp-connect", address, "hello"));
    }

    private static void assertDenied(PodContainer container) {
        assertThat(container.awaitExit().getExitCode()).isEqualTo(1);
        assertThat(container.log().errors()).containsIgnoringCase("permission denied");
    }

    @Test
    void theMetadataOfACloudIsOutOfReach() throws IOException {
        try (Origin metadata = Origin.start(on.node().network(), METADATA, 80);
                Pod pod = on.pod();
                WebPod web = WebPod.run(on)) {
            // It is there for native programs.
            assertThat(on.node().network().listens(METADATA, 80)).isTrue();

            assertDenied(connecting(pod, METADATA + ":80"));
            assertThat(web.get("/fetch?url=http://" + METADATA + "/latest/meta-data").body())
                    .isEqualTo("HttpRequestDenied");

            assertThat(metadata.requests()).isZero();
            assertThat(GuestCounters.of(on, web.container()).refusedByPolicy()).isEqualTo(1);
            assertThat(on.daemonLog()).contains(METADATA).contains(web.pod().name());
        }
    }

    @Test
    void datagramsToTheMetadataAreRefused() {
        try (Pod pod = on.pod()) {
            assertDenied(pod.start(on.guestOf("guest.p2.wasm", "udp-send", METADATA + ":53", "x")));
        }
    }

    @ParameterizedTest
    @CsvSource({"7001, true", "7066, false", "7100, false"})
    void aPodReachesTheAddressesAndPortsThatItsHandlerAllows(int port, boolean allowed) {
        try (Pod server = on.pod();
                Pod client = on.pod(PodRequest.of(RESTRICTED))) {
            server.start(on.guestOf("guest.p2.wasm", "tcp-serve", Integer.toString(port)))
                    .awaitOutput("listening");

            PodContainer container = connecting(client, server.address() + ":" + port);

            if (allowed) {
                assertThat(container.awaitExit().getExitCode()).isZero();
            } else {
                assertDenied(container);
            }
        }
    }

    @Test
    void aPodReachesTheNamesThatItsHandlerAllows() throws IOException {
        try (NameServer _ =
                        NameServer.start(
                                on.node().network(),
                                List.of(
                                        ORIGIN + " open.allowed.test",
                                        ORIGIN + " secret.allowed.test",
                                        ORIGIN + " elsewhere.test"));
                Origin origin = Origin.start(on.node().network(), ORIGIN, 80);
                WebPod web = WebPod.run(on, PodRequest.of(RESTRICTED))) {
            assertThat(web.get("/fetch?url=http://secret.allowed.test/").body())
                    .isEqualTo("HttpRequestDenied");
            assertThat(web.get("/fetch?url=http://elsewhere.test/").body())
                    .isEqualTo("DestinationIpProhibited");
            assertThat(web.get("/fetch?url=http://" + ORIGIN + "/").body())
                    .isEqualTo("HttpRequestDenied");
            assertThat(origin.requests()).isZero();

            assertThat(web.get("/fetch?url=http://open.allowed.test/").body()).startsWith("200\n");
        }
    }

    @Test
    void aPodReachesItsOwnLoopbackWhateverItsHandlerAllows() throws IOException {
        try (WebPod web = WebPod.run(on, PodRequest.of(RESTRICTED))) {
            assertThat(web.get("/fetch?url=http://127.0.0.1:8080/").body()).startsWith("200\n");
        }
    }

    @Test
    void theLoopbackOfTheNodeIsNoPodsOwn() {
        try (Pod pod = on.pod(PodRequest.of(RESTRICTED).hostNetwork())) {
            // The registry of the node listens there.
            assertDenied(connecting(pod, "127.0.0.1:5000"));
        }
    }

    @Test
    void aPodOpensAsManySocketsAsItsHandlerAllows() {
        try (Pod pod = on.pod(PodRequest.of(RESTRICTED))) {
            PodContainer container = pod.start(on.guestOf("guest.p2.wasm", "listen-many", "100"));

            assertThat(container.awaitExit().getExitCode()).isZero();
            assertThat(container.log().output()).startsWith("8 sockets, then: ");
        }
    }
}
