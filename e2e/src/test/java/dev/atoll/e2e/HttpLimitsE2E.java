package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.PodRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a server does not put up with, from clients and from its guest.
@EveryNode
class HttpLimitsE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final Duration A_WHILE = Duration.ofSeconds(1);
    private static final long MEBIBYTE = 1 << 20;

    private final TestNode on;

    HttpLimitsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    private WebPod web(String setting, Object value) {
        return WebPod.run(on, TestNode.request().http(setting, value));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/never", "/spin"})
    void aGuestThatDoesNotAnswerInTimeIsGivenUpWith504(String target) throws IOException {
        try (WebPod web = web("request-timeout", "300ms")) {
            assertThat(web.get(target).status()).isEqualTo(504);

            assertThat(web.get("/").status()).isEqualTo(200);
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 0);
        }
    }

    @Test
    void anAnswerThatHasBegunMayTakeLonger() throws IOException {
        try (WebPod web = web("request-timeout", "300ms")) {
            assertThat(web.get("/stream?chunks=5&size=2&pause=200").body()).isEqualTo("xxxxxxxxxx");
        }
    }

    @Test
    void aHeadThatDoesNotArriveInTimeEndsTheConnection() throws IOException {
        PodRequest request =
                TestNode.request().http("header-timeout", "300ms").http("idle-timeout", "10m");
        try (WebPod web = WebPod.run(on, request);
                HttpConnection slow = web.connect()) {
            slow.send("GET / HTTP/1.1\r\nHost: a");

            assertThat(slow.readToEnd())
                    .satisfiesAnyOf(HttpLimitsE2E::isEmpty, HttpLimitsE2E::is408);
        }
    }

    private static void isEmpty(String answer) {
        assertThat(answer).isEmpty();
    }

    private static void is408(String answer) {
        assertThat(answer).startsWith("HTTP/1.1 408 ");
    }

    @Test
    void aConnectionWithoutRequestsIsClosed() throws IOException {
        PodRequest request =
                TestNode.request().http("idle-timeout", "300ms").http("header-timeout", "10m");
        try (WebPod web = WebPod.run(on, request);
                HttpConnection connection = web.connect()) {
            assertThat(connection.exchange(HttpConnection.get("/")).status()).isEqualTo(200);

            assertThat(connection.readToEnd()).isEmpty();
        }
    }

    @Test
    void aBodyThatDoesNotArriveInTimeEndsTheRequest() throws IOException {
        try (WebPod web = web("stall-timeout", "300ms");
                HttpConnection connection = web.connect()) {
            connection.send(HttpConnection.head("POST", "/echo", "Content-Length: 100") + "begun");

            assertThat(connection.readToEnd()).doesNotContain("\r\n0\r\n\r\n");
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 0);
        }
    }

    @Test
    void aClientThatDoesNotReadItsAnswerLosesIt() throws IOException {
        try (WebPod web = web("stall-timeout", "300ms");
                HttpConnection connection = web.connect()) {
            connection.send(HttpConnection.get("/stream?chunks=100000&size=65536&pause=0"));

            GuestCounters.await(
                    on,
                    web.container(),
                    counters -> counters.requests() == 1 && counters.connections() == 0);
        }
    }

    @Test
    void aHeadThatIsTooLargeIsRefusedWith431() throws IOException {
        try (WebPod web = web("max-header-bytes", 16384)) {
            assertThat(web.get("/", "X-Long: " + "x".repeat(20_000)).status()).isEqualTo(431);
            assertThat(web.get("/", "X-Long: " + "x".repeat(10_000)).status()).isEqualTo(200);
        }
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedWith413() throws IOException {
        try (WebPod web = web("max-body-bytes", 1000);
                HttpConnection connection = web.connect()) {
            assertThat(web.exchange(post(1000)).body()).hasSize(1000);
            // Its length is told at once: nothing of the body need be sent.
            connection.send(HttpConnection.head("POST", "/echo", "Content-Length: 1001"));
            assertThat(connection.reply().status()).isEqualTo(413);
        }
    }

    @Test
    void aBodyOfUnknownLengthIsCutOffWhereItIsTooLarge() throws IOException {
        try (WebPod web = web("max-body-bytes", 1000)) {
            String request =
                    HttpConnection.head("POST", "/echo", "Transfer-Encoding: chunked")
                            + ("64\r\n" + "y".repeat(100) + "\r\n").repeat(11)
                            + "0\r\n\r\n";

            try (HttpConnection connection = web.connect()) {
                connection.send(request);
                assertThat(connection.readToEnd().chars().filter(c -> c == 'y').count())
                        .isLessThanOrEqualTo(1000);
            }
            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    private static String post(int length) {
        return HttpConnection.head("POST", "/echo", "Content-Length: " + length)
                + "y".repeat(length);
    }

    @Test
    void requestsBeyondTheLimitWaitAndThoseBeyondTheQueueAreRefusedWith503() throws IOException {
        PodRequest request =
                TestNode.request()
                        .http("max-concurrent-requests", 1)
                        .http("max-queued-requests", 1);
        try (WebPod web = WebPod.run(on, request);
                HttpConnection second = web.connect();
                HttpConnection third = web.connect()) {
            try (HttpConnection served = web.connect()) {
                served.send(HttpConnection.get("/never"));
                GuestCounters.await(on, web.container(), counters -> counters.inProgress() >= 1);

                second.send(HttpConnection.get("/count"));
                third.send(HttpConnection.get("/count"));
                GuestCounters.await(on, web.container(), counters -> counters.turnedAway() >= 1);
            }

            // The client that went away has given up its turn. Whichever came first had waited for
            // it, and the other had found no room.
            List<HttpReply> replies = List.of(second.reply(), third.reply());
            assertThat(replies).extracting(HttpReply::status).containsExactlyInAnyOrder(200, 503);
            assertThat(replies)
                    .filteredOn(reply -> reply.status() == 503)
                    .allMatch(reply -> reply.header("retry-after").isPresent());
            assertThat(web.get("/").status()).isEqualTo(200);
        }
    }

    @Test
    void aRequestThatHasWaitedTooLongIsRefusedWith503() throws IOException {
        PodRequest request =
                TestNode.request()
                        .http("max-concurrent-requests", 1)
                        .http("queue-timeout", "300ms");
        try (WebPod web = WebPod.run(on, request);
                HttpConnection served = web.connect()) {
            served.send(HttpConnection.get("/never"));
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 1);

            HttpReply refused = web.get("/");

            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("retry-after")).isPresent();
        }
    }

    @Test
    void connectionsBeyondTheLimitWaitForOthersToEnd() throws IOException {
        try (WebPod web = web("max-connections", 2)) {
            HttpConnection third;
            try (HttpConnection one = web.connect();
                    HttpConnection two = web.connect()) {
                assertThat(one.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
                assertThat(two.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
                third = web.connect();
                third.send(HttpConnection.get("/"));
                Awaitility.await()
                        .during(Duration.ofMillis(300))
                        .atMost(DEADLINE)
                        .until(() -> !third.hasAnswer());
            }
            try (third) {
                assertThat(third.reply().status()).isEqualTo(200);
            }
        }
    }

    @Test
    void anAnswerThatNobodyReadsTakesNoMemory() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            assertThat(web.get("/stream?chunks=10&size=65536&pause=0").status()).isEqualTo(200);
            long before = daemonMemory();
            connection.send(HttpConnection.get("/stream?chunks=100000&size=65536&pause=0"));
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 1);

            Awaitility.await()
                    .during(A_WHILE)
                    .atMost(DEADLINE)
                    .until(() -> daemonMemory() < before + 32 * MEBIBYTE);
        }
    }

    @Test
    void aBodyThatTheGuestDoesNotReadTakesNoMemory() throws IOException {
        var sent = new AtomicLong();
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send(HttpConnection.head("POST", "/never", "Content-Length: 1000000000000"));
            byte[] part = new byte[(int) MEBIBYTE];
            Thread sender =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    while (sent.addAndGet(part.length) < 1024 * MEBIBYTE) {
                                        connection.send(part);
                                    }
                                } catch (IOException e) {
                                    // It is closed under it when the test has seen enough.
                                }
                            });

            var last = new AtomicLong(-1);
            Awaitility.await()
                    .pollInterval(A_WHILE)
                    .atMost(DEADLINE)
                    .until(() -> last.getAndSet(sent.get()) == sent.get());
            assertThat(sent.get()).isLessThan(64 * MEBIBYTE);
            assertThat(sender.isAlive()).isTrue();
        }
    }

    private long daemonMemory() throws IOException {
        long sum = 0;
        for (NodeProcess daemon : on.node().daemons()) {
            sum += daemon.proportionalMemory() * 1024;
        }
        return sum;
    }

    /// Returns a server that may use 64 MiB.
    private WebPod limited() {
        return WebPod.run(
                on,
                TestNode.request(),
                on.server().limits(l -> l.setMemoryLimitInBytes(64 * MEBIBYTE)));
    }

    @Test
    void aServerBeyondItsMemoryLimitIsKilledAndSaysSo() {
        try (WebPod web = limited()) {
            // Whether its client still hears of it is left open.
            var _ = catchThrowable(() -> web.get("/hog?mib=100"));

            ContainerStatus status = web.container().awaitExit();
            assertThat(status.getExitCode()).isEqualTo(137);
            assertThat(status.getReason()).isEqualTo("OOMKilled");
        }
    }

    @Test
    void aServerWithinItsMemoryLimitLivesOn() throws IOException {
        try (WebPod web = limited()) {
            for (int i = 0; i < 20; i++) {
                assertThat(web.get("/hog?mib=20").body()).isEqualTo("held\n");
            }
            assertThat(web.container().status().getState())
                    .isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "-1s", "10", ""})
    void aSettingThatIsNoTimeIsToldInOneSentence(String value) {
        PodRequest request = TestNode.request().http("request-timeout", value);

        assertThatThrownBy(() -> WebPod.run(on, request).close())
                .hasMessageContaining("atoll.dev/http-request-timeout");
    }

    @ParameterizedTest
    @ValueSource(strings = {"many", "-5", "0"})
    void aSettingThatIsNoNumberIsToldInOneSentence(String value) {
        PodRequest request = TestNode.request().http("max-concurrent-requests", value);

        assertThatThrownBy(() -> WebPod.run(on, request).close())
                .hasMessageContaining("atoll.dev/http-max-concurrent-requests");
    }
}
