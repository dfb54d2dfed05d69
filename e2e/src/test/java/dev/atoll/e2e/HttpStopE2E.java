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
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// How HTTP servers end.
@EveryNode
class HttpStopE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

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
    void aRequestInProgressIsFinishedAfterTheDrain() throws Exception {
        try (WebPod web = WebPod.run(on, TestNode.request().http("drain", "100ms"));
                HttpConnection slow = web.connect();
                HttpConnection idle = web.connect()) {
            slow.send(HttpConnection.get("/stream?chunks=10&size=3&pause=150"));
            GuestCounters.await(on, web.container(), counters -> counters.inProgress() == 1);

            Thread stop = stopping(web, 30);

            assertThat(idle.readToEnd()).isEmpty();
            assertThat(slow.reply().body()).hasSize(30);
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
}
