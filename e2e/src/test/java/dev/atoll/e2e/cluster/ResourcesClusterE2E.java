package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What guests may use.
@OnCluster
class ResourcesClusterE2E {
    private final TestNamespace in;

    ResourcesClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    void aGuestThatOutgrowsItsMemoryLimitIsOomKilled() {
        Container hog = limited(in.guest("hog", "256").build(), "500m", "32Mi");
        PodResource pod = in.create("hog", in.pod(hog).build());

        ContainerStateTerminated end = status(in.awaitEnd(pod), APP).getState().getTerminated();

        assertThat(end.getReason()).isEqualTo("OOMKilled");
        assertThat(end.getExitCode()).isEqualTo(137);
    }

    private static Container limited(Container container, String cpu, String memory) {
        var limits = Map.of("cpu", new Quantity(cpu), "memory", new Quantity(memory));
        return container
                .edit()
                .withNewResources()
                .withLimits(limits)
                .withRequests(limits)
                .endResources()
                .build();
    }
}
