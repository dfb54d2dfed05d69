package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.net.Balancer;
import dev.atoll.e2e.net.Load;
import java.time.Duration;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Pods behind a Service are replaced while clients ask.
@OneNode
class RolloutE2E {
    private static final int REQUESTS = Integer.getInteger("atoll.e2e.requests", 50_000);
    private static final int ROLLOUTS = 3;
    private static final int CLIENTS = 20;
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final String SERVICE = "10.96.0.50";

    private final TestNode on;

    RolloutE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    @Test
    void noRequestFailsWhilePodsAreReplaced() throws Exception {
        var random = new Random(1);
        WebPod pod = WebPod.run(on);
        try (Balancer service = Balancer.listen(on.node().network(), SERVICE, 80, pod.address());
                Load load = Load.start(on.node().network(), SERVICE, 80, CLIENTS)) {
            for (int i = 1; i <= ROLLOUTS; i++) {
                int wanted = REQUESTS / (ROLLOUTS + 1) * i;
                Awaitility.await().atMost(DEADLINE).until(() -> load.answered() >= wanted);
                pod = replace(pod, service, Duration.ofMillis(random.nextInt(200, 500)));
            }
            Awaitility.await().atMost(DEADLINE).until(() -> load.answered() >= REQUESTS);
            load.end();

            System.out.printf(
                    "%d requests on %d connections through %d rollouts, %d failed%n",
                    load.answered(), load.connections(), ROLLOUTS, load.failures().size());
            assertThat(load.failures()).isEmpty();
        } finally {
            pod.close();
        }
    }

    /// As a Deployment does with a ready replacement: the old pod is asked to stop and at the same
    /// time taken out of the Service, which nodes learn a little later.
    private WebPod replace(WebPod old, Balancer service, Duration later)
            throws InterruptedException {
        WebPod next = WebPod.run(on);
        Thread stop = Thread.ofVirtual().start(() -> old.container().stop(30));
        Awaitility.await().pollDelay(later).atMost(DEADLINE).until(() -> true);
        service.switchTo(next.address());
        stop.join();
        assertThat(old.container().awaitExit().getExitCode()).isZero();
        old.close();
        return next;
    }
}
