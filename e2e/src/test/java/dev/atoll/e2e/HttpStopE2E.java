package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// How HTTP servers end.
@EveryNode
class HttpStopE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GO_AWAY = 7;
    private static final int WARM_UP = 4;
    private static final int PODS = 10;

    private final TestNode on;

    HttpStopE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    private static Thread stopping(WebPod web, int seconds) {
        return Thread.ofVirtual().start(() -> web.container().stop(seconds));
    }

    @Test
    void aServerThatIsAskedToStopServesOnAndTellsItsClientsToGo() throws Exception {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "2s"));
                HttpConnection before = web.connect()) {
            assertThat(before.exchange(HttpConnection.get("/")).closes()).isFalse();

            Thread stop = stopping(web, 30);

            // New connections are served as long as the address may still lead here, and each
            // answer asks its client to come by another connection.
            HttpReply told =
                    Awaitility.await()
                            .atMost(DEADLINE)
                            .pollInterval(Duration.ofMillis(10))
                            .until(() -> web.get("/"), HttpReply::closes);
            assertThat(told.body()).isEqualTo("Hello world\n");
            HttpReply last = before.exchange(HttpConnection.get("/"));
            assertThat(last.body()).isEqualTo("Hello world\n");
            assertThat(last.closes()).isTrue();
            assertThat(before.readToEnd()).isEmpty();
            stop.join();
            ContainerStatus status = web.container().awaitExit();
            assertThat(status.getExitCode()).isZero();
            assertThat(status.getReason()).isEqualTo("Completed");
            assertThat(on.node().network().listens(web.pod().address(), web.port())).isFalse();
        }
    }

    @Test
    void clientsOfHttp2AreToldToGo() throws Exception {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "500ms"));
                HttpConnection client = web.connect()) {
            client.send(HttpBytes.PREFACE);
            client.send(HttpBytes.frame(SETTINGS, 0, 0, new byte[0]));
            assertThat(typeOfFrame(client)).isEqualTo(SETTINGS);

            Thread stop = stopping(web, 30);

            Awaitility.await().atMost(DEADLINE).until(() -> typeOfFrame(client) == GO_AWAY);
            // What follows is the end, after whatever the server still has to say.
            assertThatThrownBy(
                            () -> {
                                while (true) {
                                    var _ = typeOfFrame(client);
                                }
                            })
                    .isInstanceOf(EOFException.class);
            stop.join();
            assertThat(web.container().awaitExit().getExitCode()).isZero();
        }
    }

    /// Reads a frame, and answers it if it is a ping.
    private static int typeOfFrame(HttpConnection connection) throws IOException {
        byte[] head = connection.exactly(9);
        byte[] content = connection.exactly((head[1] & 0xff) << 8 | (head[2] & 0xff));
        if (head[3] == PING && head[4] == 0) {
            connection.send(HttpBytes.frame(PING, 1, 0, content));
        }
        return head[3];
    }

    @Test
    void aRequestInProgressIsFinishedAfterTheDrain() throws Exception {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "100ms"));
                HttpConnection slow = web.connect();
                HttpConnection idle = web.connect()) {
            slow.send(HttpConnection.get("/stream?chunks=30&size=3&pause=200"));
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 1);

            Thread stop = stopping(web, 30);

            assertThat(idle.readToEnd()).isEmpty();
            assertThat(slow.reply().body()).hasSize(90);
            stop.join();
            assertThat(web.container().awaitExit().getExitCode()).isZero();
        }
    }

    @Test
    void aServerWithoutRequestsEndsWhenTheDrainIsOver() {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "0s"))) {
            web.container().stop(30);

            assertThat(web.container().awaitExit().getExitCode()).isZero();
        }
    }

    @Test
    void aRequestThatOutlivesTheGracePeriodIsKilled() throws Exception {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "100ms"));
                HttpConnection stuck = web.connect()) {
            stuck.send(HttpConnection.get("/never"));
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 1);

            web.container().stop(1);

            assertThat(web.container().awaitExit().getExitCode()).isEqualTo(137);
            assertThatThrownBy(stuck::reply).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aKillEndsRequestsAtOnce() throws Exception {
        try (WebPod web = WebPod.run(on);
                HttpConnection sleeping = web.connect();
                HttpConnection spinning = web.connect()) {
            sleeping.send(HttpConnection.get("/never"));
            spinning.send(HttpConnection.get("/spin"));
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 2);

            web.container().stop(0);

            assertThat(web.container().awaitExit().getExitCode()).isEqualTo(137);
            assertThatThrownBy(sleeping::reply)
                    .isInstanceOfAny(EOFException.class, IOException.class);
            assertThatThrownBy(spinning::reply).isInstanceOf(IOException.class);
        }
    }

    @Test
    void aPodThatIsRemovedTakesItsServerWithIt() throws Exception {
        HttpConnection connection;
        try (WebPod web = WebPod.run(on)) {
            connection = web.connect();
            connection.send(HttpConnection.get("/never"));
        }
        try (connection) {
            assertThatThrownBy(connection::reply).isInstanceOf(IOException.class);
        }
    }

    @Test
    void nothingIsLeftOfServers() throws Exception {
        for (int i = 0; i < WARM_UP; i++) {
            serveAndEnd(i);
        }
        TreeMap<String, Integer> before = Leftovers.of(on.node()).counts();

        for (int i = 0; i < PODS; i++) {
            serveAndEnd(i);
        }

        Leftovers.of(on.node()).awaitNoMoreThan(before);
    }

    /// Some are asked to stop first, all end with connections that are idle and in use.
    private void serveAndEnd(int number) throws IOException {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "10ms"));
                HttpConnection idle = web.connect();
                HttpConnection used = web.connect()) {
            assertThat(idle.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
            used.send(HttpConnection.get("/stream?chunks=1000&size=10&pause=1"));
            assertThat(used.replyHead().status()).isEqualTo(200);
            if (number % 2 == 0) {
                web.container().stop(1);
            }
        }
    }
}
