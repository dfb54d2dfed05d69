package dev.atoll.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// What a node does with its guests when it is to be emptied.
@OnCluster
class NodesClusterE2E {
    private final TestCluster cluster;
    private final TestNamespace in;

    NodesClusterE2E(TestCluster cluster, TestNamespace in) {
        this.cluster = cluster;
        this.in = in;
    }

    @Test
    void aDrainedNodeIsLeftByItsGuestsAndTakesNewOnesWhenItIsBack() {
        Deployment web = in.deploy("web", 2, in.server().build());
        List<Pod> before = in.client().pods().withLabel("app", "web").list().getItems();
        List<String> nodes =
                cluster.client().nodes().list().getItems().stream()
                        .map(node -> node.getMetadata().getName())
                        .toList();

        setUnschedulable(nodes, true);
        try {
            for (Pod pod : before) {
                assertThat(in.client().pods().resource(pod).evict()).isTrue();
            }
            for (Pod pod : before) {
                in.client()
                        .resource(pod)
                        .waitUntilCondition(found -> found == null, 90, TimeUnit.SECONDS);
            }
            in.await(
                    web,
                    "replicas that wait for a node",
                    found -> Integer.valueOf(2).equals(found.getStatus().getUnavailableReplicas()));
        } finally {
            setUnschedulable(nodes, false);
        }

        in.await(
                web,
                "replicas on the node again",
                found -> Integer.valueOf(2).equals(found.getStatus().getReadyReplicas()));
    }

    private void setUnschedulable(List<String> nodes, boolean unschedulable) {
        for (String name : nodes) {
            cluster.client().nodes().withName(name).edit(node -> cordoned(node, unschedulable));
        }
    }

    private static Node cordoned(Node node, boolean unschedulable) {
        node.getSpec().setUnschedulable(unschedulable ? true : null);
        return node;
    }
}
