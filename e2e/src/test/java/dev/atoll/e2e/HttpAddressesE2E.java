package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.net.NetworkNamespace;
import dev.atoll.e2e.pod.Pod;
import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where HTTP servers listen, and who reaches them.
@EveryNode
class HttpAddressesE2E {
    private static final String ADDRESS = "WASMTIME_HTTP_PROXY_SOCKET_ADDR";

    private final TestNode on;

    HttpAddressesE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    @Test
    void twoPodsServeOnTheSamePortEachAtItsAddress() throws IOException {
        try (WebPod one = WebPod.run(on, TestNode.request(), on.server().env("WHO", "one"));
                WebPod two = WebPod.run(on, TestNode.request(), on.server().env("WHO", "two"))) {
            assertThat(one.address()).isNotEqualTo(two.address());
            assertThat(one.get("/env").body()).contains("WHO=one\n");
            assertThat(two.get("/env").body()).contains("WHO=two\n");
        }
    }

    @Test
    void aPodAsksAnotherByItsAddress() throws IOException {
        try (WebPod asked = WebPod.run(on);
                WebPod asking = WebPod.run(on)) {
            HttpReply reply =
                    asking.get("/fetch?url=http://" + asked.pod().address() + ":8080/status/418");

            assertThat(reply.body()).startsWith("418\n");
        }
    }

    @Test
    void aPodAsksAnotherByIpv6() throws IOException {
        try (WebPod asked = WebPod.run(on);
                WebPod asking = WebPod.run(on)) {
            give(asked.pod(), "fd88::1");
            give(asking.pod(), "fd88::2");

            HttpReply reply = asking.get("/fetch?url=http://[fd88::1]:8080/status/418");

            assertThat(reply.body()).startsWith("418\n");
        }
    }

    /// Adds an address of a network that is the pods' alone.
    private static void give(Pod pod, String address) {
        try (NetworkNamespace inside = pod.network()) {
            inside.command("ip", "addr", "add", address + "/64", "dev", "eth0", "nodad")
                    .run()
                    .orThrow("give a pod the address " + address);
        }
    }

    @Test
    void aServerAsksItselfOverItsLoopback() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            assertThat(web.get("/fetch?url=http://127.0.0.1:8080/").body())
                    .isEqualTo("200\nHello world\n");
        }
    }

    @Test
    void aPodInTheNodesNetworkServesAtTheNodesAddresses() throws IOException {
        try (WebPod _ =
                WebPod.run(
                        on, TestNode.request().hostNetwork(), on.server().env("PORT", "18080"))) {
            for (String address : new String[] {"127.0.0.1", "10.96.0.77", "::1"}) {
                assertThat(ask(on.node().network(), address, 18080).status())
                        .as(address)
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void aServerListensOnAllAddressesOfBothFamiliesOfItsPodAlone() throws IOException {
        try (WebPod web = WebPod.run(on);
                NetworkNamespace inside = web.pod().network()) {
            assertThat(ask(inside, "127.0.0.1", WebPod.PORT).status()).isEqualTo(200);
            assertThat(ask(inside, "::1", WebPod.PORT).status()).isEqualTo(200);
            assertThat(on.node().network().listens("127.0.0.1", WebPod.PORT)).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 9191})
    void theVariablePortSaysWhichPort(int port) throws IOException {
        String text = Integer.toString(port);
        try (WebPod web = WebPod.run(on, TestNode.request(), on.server().env("PORT", text))) {
            String address = web.pod().address();

            assertThat(ask(on.node().network(), address, port).status()).isEqualTo(200);
            assertThat(on.node().network().listens(address, WebPod.PORT)).isFalse();
        }
    }

    @Test
    void theVariableOfRunwasiSaysWhichAddressAndWinsOverPort() throws IOException {
        try (WebPod web =
                        WebPod.run(
                                on,
                                TestNode.request(),
                                on.server().env("PORT", "80").env(ADDRESS, "127.0.0.1:9090"));
                NetworkNamespace inside = web.pod().network()) {
            assertThat(ask(inside, "127.0.0.1", 9090).status()).isEqualTo(200);
            assertThat(on.node().network().listens(web.pod().address(), 9090)).isFalse();
            assertThat(inside.listens("127.0.0.1", 80)).isFalse();
        }
    }

    @Test
    void aPortThatIsTakenIsToldInOneSentence() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            String sentence = Refusal.of(web.pod(), on.server());

            assertThat(sentence).contains("8080").containsIgnoringCase("in use");
            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.1:8080", "nonsense", "127.0.0.1", "127.0.0.1:99999"})
    void anAddressThatCannotBeUsedIsToldInOneSentence(String address) {
        String sentence = Refusal.of(on, on.server().env(ADDRESS, address));

        assertThat(sentence).contains(address);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http", "-1", "0", "65536"})
    void aPortThatCannotBeUsedIsToldInOneSentence(String port) {
        String sentence = Refusal.of(on, on.server().env("PORT", port));

        assertThat(sentence).contains("PORT").contains(port);
    }

    @Test
    void thePortIsFreeAgainWhenItsContainerHasEnded() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            web.container().stop(0);
            web.container().awaitExit();
            assertThat(on.node().network().listens(web.pod().address(), WebPod.PORT)).isFalse();

            web.pod().start(on.server());

            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    @Test
    void containerdForwardsAPortOfThePod() throws IOException {
        try (WebPod web = WebPod.run(on);
                PortForward forward =
                        PortForward.open(
                                on.node().network(), web.pod().forward(WebPod.PORT), WebPod.PORT)) {
            String answer = forward.exchange(HttpConnection.get("/", "Connection: close"));

            assertThat(answer).startsWith("HTTP/1.1 200 OK").contains("Hello world");
        }
    }

    @Test
    void commandGuestsHaveNoListener() {
        try (Pod pod = on.pod()) {
            pod.start(on.guest("sleep")).awaitOutput("sleeping");

            assertThat(on.node().network().listens(pod.address(), WebPod.PORT)).isFalse();
        }
    }

    private static HttpReply ask(NetworkNamespace from, String host, int port) throws IOException {
        try (HttpConnection connection = HttpConnection.open(from, host, port)) {
            return connection.exchange(HttpConnection.get("/"));
        }
    }
}
