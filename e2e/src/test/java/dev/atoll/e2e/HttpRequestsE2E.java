package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What becomes of requests.
@EveryNode
class HttpRequestsE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final TestNode on;
    private final String onNode = "/var/lib/atoll/web-" + UUID.randomUUID();

    HttpRequestsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    private WebPod webWithVolume() throws IOException {
        Files.createDirectories(on.node().path(onNode));
        return WebPod.run(on, TestNode.request(), on.server().mount(onNode, "/data", false));
    }

    private Path inVolume(String name) {
        return on.node().path(onNode + "/" + name);
    }

    @Test
    void aRequestIsAnswered() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            HttpReply reply = web.get("/");

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.header("content-type")).contains("text/plain");
            assertThat(reply.body()).isEqualTo("Hello world\n");
        }
    }

    @Test
    void theGuestSeesMethodTargetAuthorityAndHeaders() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            String seen =
                    web.exchange(
                                    HttpConnection.head(
                                            "PATCH", "/headers?a=%20b", "X-One: 1", "X-One: 2"))
                            .body();

            assertThat(seen.lines())
                    .contains(
                            "Method::Patch /headers?a=%20b",
                            "scheme Some(Scheme::Http)",
                            "authority atoll.test",
                            "x-one: 1",
                            "x-one: 2");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 204, 304, 404, 418, 500, 503, 599})
    void theStatusIsTheGuests(int status) throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            assertThat(connection.exchange(HttpConnection.get("/status/" + status)).status())
                    .isEqualTo(status);
            assertThat(connection.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
        }
    }

    @Test
    void aConnectionServesManyRequestsEachByAFreshInstance() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            for (int i = 0; i < 20; i++) {
                HttpReply reply = connection.exchange(HttpConnection.get("/count"));

                assertThat(reply.body()).isEqualTo("1\n");
                assertThat(reply.closes()).isFalse();
            }
        }
    }

    @Test
    void anInstanceServesAsManyRequestsAsItsPodAllows() throws IOException {
        try (WebPod web = WebPod.run(on, TestNode.request().http("reuse-requests", 3));
                HttpConnection connection = web.connect()) {
            var counts = new ArrayList<String>();
            for (int i = 0; i < 7; i++) {
                counts.add(connection.exchange(HttpConnection.get("/count")).body().strip());
            }

            assertThat(counts).containsExactly("1", "2", "3", "1", "2", "3", "1");
        }
    }

    @Test
    void anInstanceThatTrappedIsNotUsedAgain() throws IOException {
        try (WebPod web = WebPod.run(on, TestNode.request().http("reuse-requests", 1000))) {
            web.get("/count");
            assertThat(web.get("/trap").status()).isEqualTo(500);

            assertThat(web.get("/count").body()).isEqualTo("1\n");
        }
    }

    @Test
    void anInstanceThatNobodyUsesIsGivenUp() {
        try (WebPod web =
                WebPod.run(
                        on,
                        TestNode.request()
                                .http("reuse-requests", 1000)
                                .http("reuse-idle", "200ms"))) {
            Awaitility.await()
                    .atMost(DEADLINE)
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> {
                        assertThat(web.get("/count").body()).isEqualTo("1\n");
                        assertThat(web.get("/count").body()).isEqualTo("2\n");
                    });
        }
    }

    @Test
    void requestsThatAreSentTogetherAreAnsweredInOrder() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send(
                    HttpConnection.get("/sleep?ms=200")
                            + HttpConnection.get("/status/418")
                            + HttpConnection.get("/"));

            assertThat(connection.reply().body()).isEqualTo("slept\n");
            assertThat(connection.reply().status()).isEqualTo(418);
            assertThat(connection.reply().body()).isEqualTo("Hello world\n");
        }
    }

    @Test
    void http10IsAnsweredAndTheConnectionClosed() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send("GET / HTTP/1.0\r\n\r\n");

            HttpReply reply = connection.reply();

            assertThat(reply.body()).isEqualTo("Hello world\n");
            assertThat(connection.readToEnd()).isEmpty();
        }
    }

    @Test
    void aClientThatAsksToCloseIsClosed() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            HttpReply reply = connection.exchange(HttpConnection.get("/", "Connection: close"));

            assertThat(reply.closes()).isTrue();
            assertThat(connection.readToEnd()).isEmpty();
        }
    }

    @Test
    void http2IsServedToClientsThatBeginWithIt() {
        try (WebPod web = WebPod.run(on)) {
            String output =
                    http2(
                            "h2load",
                            "--requests=500",
                            "--clients=4",
                            "--max-concurrent-streams=10",
                            url(web, "/"));

            assertThat(output).contains("500 succeeded, 0 failed, 0 errored");
        }
    }

    @Test
    void bodiesAndTrailersGoBothWaysOverHttp2(@TempDir Path directory) throws IOException {
        Path body = Files.writeString(directory.resolve("body"), "over two");
        try (WebPod web = WebPod.run(on)) {
            String output =
                    http2(
                            "nghttp",
                            "--verbose",
                            "--data=" + body,
                            "--trailer=x-sum: 42",
                            "--header=x-one: 1",
                            url(web, "/echo"));

            assertThat(output)
                    .contains(":status: 200")
                    .contains("over two")
                    .containsPattern("recv .* x-one: 1")
                    .containsPattern("recv .* x-sum: 42");
        }
    }

    @Test
    void aTrapFailsOneRequestOfAnHttp2Connection() {
        try (WebPod web = WebPod.run(on)) {
            String output =
                    http2(
                            "nghttp",
                            "--verbose",
                            "--no-dep",
                            url(web, "/sleep?ms=500"),
                            url(web, "/trap"),
                            url(web, "/status/418"));

            assertThat(output)
                    .contains("(stream_id=1) :status: 200")
                    .contains("(stream_id=3) :status: 500")
                    .contains("(stream_id=5) :status: 418")
                    .contains("slept");
        }
    }

    private static String url(WebPod web, String target) {
        return "http://" + web.pod().address() + ":" + web.port() + target;
    }

    /// Runs a client of nghttp2 in the node's network. (The curl of Debian 12 fails by itself when
    /// it uses such a connection for a second request.)
    private String http2(String... words) {
        return on.node().network().command(words).run().orThrow(words[0]);
    }

    /// As Java's own client asks by default.
    @Test
    void aClientThatOffersToUpgradeToHttp2IsAnswered() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            HttpReply reply =
                    web.get(
                            "/",
                            "Connection: Upgrade, HTTP2-Settings",
                            "Upgrade: h2c",
                            "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAABgAGAAA");

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).isEqualTo("Hello world\n");
        }
    }

    @Test
    void theAnswerToHeadHasNoBody() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send(HttpConnection.head("HEAD", "/"));

            assertThat(connection.replyHead().status()).isEqualTo(200);
            assertThat(connection.exchange(HttpConnection.get("/")).body())
                    .isEqualTo("Hello world\n");
        }
    }

    @Test
    void aClientThatWaitsForLeaveToSendItsBodyGetsIt() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send(
                    HttpConnection.head(
                            "POST", "/echo", "Content-Length: 4", "Expect: 100-continue"));
            assertThat(connection.reply().status()).isEqualTo(100);

            connection.send("body");

            assertThat(connection.reply().body()).isEqualTo("body");
        }
    }

    @Test
    void partsOfABodyGoBothWaysAsTheyCome() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send(HttpConnection.head("POST", "/echo", "Transfer-Encoding: chunked"));
            assertThat(connection.replyHead().status()).isEqualTo(200);
            for (String part : List.of("one", "two", "three")) {
                connection.send("%x\r\n%s\r\n".formatted(part.length(), part));

                byte[] back = connection.chunk();

                assertThat(new String(back, StandardCharsets.ISO_8859_1)).isEqualTo(part);
            }
            connection.send("0\r\n\r\n");
            assertThat(connection.chunk()).isEmpty();
        }
    }

    @Test
    void aLargeBodyComesBackWhole() throws Exception {
        String body = "0123456789abcdef".repeat(1 << 18);
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            Thread sender =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    connection.send(
                                            HttpConnection.head(
                                                            "POST",
                                                            "/echo",
                                                            "Content-Length: " + body.length())
                                                    + body);
                                } catch (IOException e) {
                                    throw new AssertionError(e);
                                }
                            });

            HttpReply reply = connection.reply();

            sender.join();
            assertThat(reply.body().equals(body)).as("the same bytes").isTrue();
        }
    }

    @Test
    void trailersGoBothWays() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            HttpReply reply = web.get("/trailers", "TE: trailers");
            assertThat(reply.body()).isEqualTo("before\n");
            assertThat(reply.trailers()).containsEntry("x-last", List.of("after"));

            HttpReply echoed =
                    web.exchange(
                            HttpConnection.head(
                                            "POST",
                                            "/echo",
                                            "TE: trailers",
                                            "Trailer: x-sum",
                                            "Transfer-Encoding: chunked")
                                    + "4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n");
            assertThat(echoed.body()).isEqualTo("body");
            assertThat(echoed.trailers()).containsEntry("x-sum", List.of("42"));
        }
    }

    @Test
    void aRequestWhoseClientIsGoneIsGivenUp() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            try (HttpConnection connection = web.connect()) {
                connection.send(HttpConnection.get("/never"));
                GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 1);
            }

            // Nothing else would end it before its time of a minute is over.
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 0);
            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    @Test
    void aGuestMayWorkOnAfterItsAnswer() throws IOException {
        try (WebPod web = webWithVolume()) {
            assertThat(web.get("/after?ms=200&path=/data/later").body()).isEqualTo("answered\n");
            assertThat(inVolume("later")).doesNotExist();

            Awaitility.await().atMost(DEADLINE).until(() -> Files.exists(inVolume("later")));
        }
    }

    @Test
    void aTrapFailsItsRequestAlone() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection other = web.connect()) {
            other.send(HttpConnection.get("/sleep?ms=700"));

            assertThat(web.get("/trap").status()).isEqualTo(500);

            assertThat(other.reply().body()).isEqualTo("slept\n");
            assertThat(other.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
            assertThat(web.container().status().getState())
                    .isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(web.container().awaitLog(log -> log.errors().contains("trap")).errors())
                    .contains("unreachable")
                    .contains("backtrace");
        }
    }

    @Test
    void anAnswerThatATrapCutsOffDoesNotLookWhole() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            assertThatThrownBy(() -> web.get("/trap-late")).isInstanceOf(EOFException.class);

            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/no-response", "/exit?code=0", "/exit?code=3"})
    void aGuestThatReturnsWithoutAnAnswerFailsItsRequestAlone(String target) throws IOException {
        try (WebPod web = WebPod.run(on)) {
            assertThat(web.get(target).status()).isEqualTo(500);

            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    @Test
    void busyRequestsDoNotStarveOthers() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection one = web.connect();
                HttpConnection two = web.connect();
                HttpConnection three = web.connect()) {
            for (HttpConnection busy : List.of(one, two, three)) {
                busy.send(HttpConnection.get("/spin"));
            }

            for (int i = 0; i < 20; i++) {
                assertThat(web.get("/").status()).isEqualTo(200);
            }
        }
    }

    @Test
    void whatAGuestPrintsIsTheContainersLog() throws IOException {
        try (WebPod web = WebPod.run(on)) {
            web.get("/log?text=first");
            web.get("/log?text=second");

            web.container().awaitOutput("first\nsecond\n");
            assertThat(web.container().awaitLog(log -> log.errors().contains("second")).errors())
                    .contains("first\n");
        }
    }

    @Test
    void argumentsEnvironmentAndFilesAreTheContainers() throws IOException {
        Files.createDirectories(on.node().path(onNode));
        Files.writeString(inVolume("given"), "from the node\n");
        try (WebPod web =
                WebPod.run(
                        on,
                        TestNode.request(),
                        on.server()
                                .args("one", "two words")
                                .env("GREETING", "hello = world")
                                .mount(onNode, "/data", false))) {
            assertThat(web.get("/args").body()).endsWith("one\ntwo words\n");
            assertThat(web.get("/env").body().lines()).contains("GREETING=hello = world");
            assertThat(web.get("/read?path=/data/given").body()).isEqualTo("from the node\n");
            assertThat(web.get("/write?path=/data/made&text=by%20the%20guest").status())
                    .isEqualTo(200);
            assertThat(inVolume("made")).hasContent("by the guest");
        }
    }
}
