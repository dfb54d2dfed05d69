package dev.atoll.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.net.Load;
import dev.atoll.e2e.net.NetworkNamespace;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A Deployment's pods are replaced while clients ask its Service.
@OnCluster
class RolloutClusterE2E {
    private static final int REQUESTS = Integer.getInteger("atoll.e2e.requests", 50_000);
    private static final int ROLLOUTS = 3;
    private static final int CLIENTS = 20;
    private static final Duration DEADLINE = Duration.ofMinutes(5);

    private final TestCluster cluster;
    private final TestNamespace in;

    RolloutClusterE2E(TestCluster cluster, TestNamespace in) {
        this.cluster = cluster;
        this.in = in;
    }

    @Test
    @Timeout(600)
    void noRequestFailsWhileADeploymentIsRestarted() throws InterruptedException {
        Deployment web = in.deploy("web", 3, in.server().build());
        String service = in.client().services().withName("web").get().getSpec().getClusterIP();
        Path namespace =
                cluster.network()
                        .orElseThrow(() ->
                                new IllegalStateException(
                                        "the file of -Datoll.cluster has no line network=...: Services are"
                                                + " reached from a node's network only"));
        try (NetworkNamespace network = NetworkNamespace.of(namespace)) {
            // A Service's rules follow its pods a little later.
            network.awaitListener(service, 80);
            try (Load load = Load.start(network, service, 80, CLIENTS)) {
                for (int i = 1; i <= ROLLOUTS; i++) {
                    awaitAnswers(load, REQUESTS / (ROLLOUTS + 1) * i);
                    web = restart(web);
                }
                awaitAnswers(load, REQUESTS);
                load.end();

                System.out.printf(
                        "%d requests on %d connections through %d rollouts, %d failed%n",
                        load.answered(), load.connections(), ROLLOUTS, load.failures().size());
                assertThat(load.failures()).isEmpty();
                assertThat(load.answered()).isGreaterThanOrEqualTo(REQUESTS);
            }
        }
    }

    /// As `kubectl rollout restart` and `kubectl rollout status` do.
    private Deployment restart(Deployment deployment) {
        in.client().apps().deployments().resource(deployment).rolling().restart();
        return in.await(
                deployment,
                "new pods alone",
                found -> {
                    var status = found.getStatus();
                    int wanted = found.getSpec().getReplicas();
                    return found.getMetadata()
                                    .getGeneration()
                                    .equals(status.getObservedGeneration())
                            && !found.getMetadata()
                                    .getGeneration()
                                    .equals(deployment.getMetadata().getGeneration())
                            && Integer.valueOf(wanted).equals(status.getUpdatedReplicas())
                            && Integer.valueOf(wanted).equals(status.getReplicas())
                            && Integer.valueOf(wanted).equals(status.getAvailableReplicas());
                });
    }

    private static void awaitAnswers(Load load, int wanted) {
        Awaitility.await(wanted + " answers")
                .atMost(DEADLINE)
                .until(() -> load.answered() >= wanted || !load.failures().isEmpty());
        assertThat(load.failures()).isEmpty();
    }
}
