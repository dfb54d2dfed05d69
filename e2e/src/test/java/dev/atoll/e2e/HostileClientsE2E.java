package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.node.NodeProcess;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients that mean harm: others are served, and the daemon lives.
@OneNode
class HostileClientsE2E {
    private static final int IDLE = Integer.getInteger("atoll.e2e.connections", 10_000);
    private static final int DAMAGED = Integer.getInteger("atoll.e2e.damaged", 10_000);
    private static final long SEED = Long.getLong("atoll.e2e.seed", 1);
    private static final int AT_A_TIME = 8;
    private static final int SLOW = 200;
    private static final long KIBIBYTES_PER_CONNECTION = 24;

    private final TestNode on;

    HostileClientsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    @Test
    void idleConnectionsCostLittleAndOthersAreServed() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection good = web.connect()) {
            assertThat(good.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
            long before = daemonMemory();
            var idle = new ArrayList<SocketChannel>();
            try {
                String address = web.pod().address();
                while (idle.size() < IDLE) {
                    idle.add(on.node().network().connect(address, web.port()));
                }

                for (int i = 0; i < 100; i++) {
                    assertThat(good.exchange(HttpConnection.get("/")).status()).isEqualTo(200);
                    assertThat(web.get("/").status()).isEqualTo(200);
                }
                long each = (daemonMemory() - before) / IDLE;
                System.out.printf("%d idle connections, %d KiB each%n", IDLE, each);
                assertThat(each).isLessThan(KIBIBYTES_PER_CONNECTION);
            } finally {
                for (SocketChannel channel : idle) {
                    channel.close();
                }
            }
            GuestCounters.await(on, web.container(), counters -> counters.connections() <= 1);
        }
    }

    private long daemonMemory() throws IOException {
        long sum = 0;
        for (NodeProcess daemon : on.node().daemons()) {
            sum += daemon.proportionalMemory();
        }
        return sum;
    }

    @Test
    void clientsThatSendTheirHeadsSlowlyTakeNobodysTurn() throws IOException {
        try (WebPod web = WebPod.run(on, TestNode.request().http("max-concurrent-requests", 2))) {
            var slow = new ArrayList<HttpConnection>();
            try {
                for (int i = 0; i < SLOW; i++) {
                    HttpConnection connection = web.connect();
                    slow.add(connection);
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\nX-");
                }

                for (int i = 0; i < 100; i++) {
                    assertThat(web.get("/").status()).isEqualTo(200);
                }
            } finally {
                for (HttpConnection connection : slow) {
                    connection.close();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
                "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                "GET / HTTP/1.1\r\nH\u00f6st: a\r\n\r\n",
                "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET / HTTP/3.1\r\nHost: a\r\n\r\n",
                "GET\r\nHost: a\r\n\r\n"
            })
    void aRequestThatServersUnderstandInDifferentWaysIsRefused(String request) throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            HttpReply reply = connection.exchange(request);

            assertThat(reply.status()).isBetween(400, 599);
            assertThat(connection.readToEnd()).isEmpty();
        }
    }

    /// A proxy before the server may have believed the length.
    @Test
    void aBodyWithTwoLengthsSmugglesNoRequest() throws IOException {
        try (WebPod web = WebPod.run(on);
                HttpConnection connection = web.connect()) {
            connection.send(
                    HttpConnection.head(
                                    "POST",
                                    "/echo",
                                    "Content-Length: 40",
                                    "Transfer-Encoding: chunked")
                            + "0\r\n\r\n"
                            + "GET /status/418 HTTP/1.1\r\nHost: a\r\n\r\n");

            assertThat(connection.readToEnd()).doesNotContain("418");
        }
    }

    @Test
    void damagedRequestsHarmNobody() throws Exception {
        List<Long> daemons = on.node().daemons().stream().map(NodeProcess::pid).toList();
        try (WebPod web =
                        WebPod.run(
                                on,
                                TestNode.request()
                                        .http("header-timeout", "1s")
                                        .http("idle-timeout", "1s")
                                        .http("stall-timeout", "1s")
                                        .http("request-timeout", "2s"));
                var executor = Executors.newFixedThreadPool(AT_A_TIME)) {
            var calls = new ArrayList<Callable<Integer>>();
            for (int i = 0; i < AT_A_TIME; i++) {
                var bytes = new HttpBytes(new Random(SEED + i));
                calls.add(() -> sendAll(web, bytes, DAMAGED / AT_A_TIME));
            }

            int answers = 0;
            for (Future<Integer> sent : executor.invokeAll(calls)) {
                answers += sent.get();
            }

            System.out.printf("%d damaged requests, %d bytes of answers%n", DAMAGED, answers);
            assertThat(answers).isGreaterThan(DAMAGED);
            assertThat(web.container().status().getState())
                    .isEqualTo(ContainerState.CONTAINER_RUNNING);
            GuestCounters.await(
                    on,
                    web.container(),
                    counters -> counters.inProgress() == 0 && counters.connections() == 0);
            assertThat(on.node().daemons().stream().map(NodeProcess::pid)).containsAll(daemons);
        }
    }

    private static int sendAll(WebPod web, HttpBytes bytes, int count) throws IOException {
        int answers = 0;
        for (int i = 0; i < count; i++) {
            answers += answer(web, bytes.next()).length();
            if (i % 25 == 0) {
                assertThat(web.get("/").body()).isEqualTo("Hello world\n");
            }
        }
        return answers;
    }

    /// Returns what the server said before it closed the connection, which it has to do.
    private static String answer(WebPod web, byte[] request) throws IOException {
        try (HttpConnection connection = web.connect()) {
            try {
                connection.send(request);
                connection.endOfRequests();
                return connection.readToEnd();
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                // It was closed while something was still being sent.
                return "";
            }
        }
    }
}
