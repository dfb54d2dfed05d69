package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Two well-behaved pods: an HTTP server that is asked without a pause and has a request of a tenth
/// of a core, and a command that writes a line every so often and has none.
///
/// @param web the server
/// @param beating the pod of the command
/// @param heart the command
record Neighbour(WebPod web, Pod beating, PodContainer heart) implements AutoCloseable {
    private static final int REQUESTS = 300;
    private static final Duration WINDOW = Duration.ofSeconds(2);
    private static final int BEAT_MILLIS = 20;
    private static final int TENTH_OF_A_CORE = 102;

    static Neighbour run(TestNode on) {
        ContainerRequest server = on.server().limits(l -> l.setCpuShares(TENTH_OF_A_CORE));
        WebPod web = WebPod.run(on, TestNode.request(), server);
        Pod beating = on.pod();
        PodContainer heart =
                beating.start(on.guest("tick", Integer.toString(BEAT_MILLIS)))
                        .awaitOutput("tick 0");
        return new Neighbour(web, beating, heart);
    }

    /// How well it did during a while.
    ///
    /// @param median of the times of all answers
    /// @param worst of them
    /// @param beats of the heart in a second
    record Quality(Duration median, Duration worst, double beats) {
        @Override
        public String toString() {
            return "median %d us, worst %d us, %.1f beats/s"
                    .formatted(median.toNanos() / 1000, worst.toNanos() / 1000, beats);
        }
    }

    /// Asks the server and looks at the heart for a while. All answers have to be right.
    Quality measure() throws IOException {
        long linesBefore = beats();
        long begin = System.nanoTime();
        List<Long> times = new ArrayList<>();
        try (HttpConnection connection = web.connect()) {
            while (times.size() < REQUESTS || System.nanoTime() - begin < WINDOW.toNanos()) {
                long before = System.nanoTime();
                HttpReply reply = connection.exchange(HttpConnection.get("/"));
                times.add(System.nanoTime() - before);
                assertThat(reply.status()).isEqualTo(200);
                assertThat(reply.body()).isEqualTo("Hello world\n");
            }
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        double beats = (beats() - linesBefore) / seconds;
        times.sort(null);
        return new Quality(
                Duration.ofNanos(times.get(times.size() / 2)),
                Duration.ofNanos(times.getLast()),
                beats);
    }

    private long beats() {
        return heart.log().output().lines().count();
    }

    @Override
    public void close() {
        beating.close();
        web.close();
    }
}
