package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBuilder;
import io.fabric8.kubernetes.api.model.metrics.v1beta1.ContainerMetrics;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/// What guests may use, and what they are seen to use.
@OnCluster
class ResourcesClusterE2E {
    /// A metrics server asks kubelets every ten seconds or so, and needs two answers.
    private static final Duration METRICS = Duration.ofSeconds(120);

    private final TestNamespace in;

    ResourcesClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    void aGuestThatOutgrowsItsMemoryLimitIsOomKilled() {
        Container hog = limited(in.guest("hog", "256").build(), "500m", "32Mi");
        PodResource pod = in.create("hog", in.pod(hog).build());

        ContainerStateTerminated end =
                status(in.awaitEnd(pod), APP).getState().getTerminated();

        assertThat(end.getReason()).isEqualTo("OOMKilled");
        assertThat(end.getExitCode()).isEqualTo(137);
    }

    @Test
    void whatAGuestUsesIsWhatTopShows() {
        PodResource pod =
                in.create("spinner", in.pod(limited(in.guest("spin").build(), "300m", "64Mi")).build());
        in.awaitReady(pod);

        Awaitility.await("the figures of a guest that works")
                .atMost(METRICS)
                // Until the metrics server has asked once, it is no API.
                .ignoreException(KubernetesClientException.class)
                .untilAsserted(() -> {
                    Optional<ContainerMetrics> found = metrics("spinner");
                    assertThat(found).isPresent();
                    assertThat(used(found.get(), "cpu")).isGreaterThan(new BigDecimal("0.05"));
                    assertThat(used(found.get(), "memory")).isPositive();
                });
    }

    @Test
    void anAutoscalerAddsReplicasToGuestsThatWork() {
        var spinning =
                limited(in.server().build(), "100m", "64Mi");
        in.deploy("web", 1, spinning);
        HorizontalPodAutoscaler autoscaler =
                in.create(
                        new HorizontalPodAutoscalerBuilder()
                                .withNewMetadata()
                                .withName("web")
                                .endMetadata()
                                .withNewSpec()
                                .withNewScaleTargetRef("apps/v1", "Deployment", "web")
                                .withMinReplicas(1)
                                .withMaxReplicas(2)
                                .addNewMetric()
                                .withType("Resource")
                                .withNewResource()
                                .withName("cpu")
                                .withNewTarget()
                                .withType("Utilization")
                                .withAverageUtilization(20)
                                .endTarget()
                                .endResource()
                                .endMetric()
                                .endSpec()
                                .build());
        String pod =
                in.client().pods().withLabel("app", "web").list().getItems().getFirst()
                        .getMetadata()
                        .getName();
        // A request that works until its client goes, which never happens here.
        Thread busy =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                in.ask(pod, "/spin");
                            } catch (KubernetesClientException e) {
                                // It ends with the pod, or when the client is tired of waiting.
                            }
                        });

        Awaitility.await("a second replica")
                .atMost(METRICS.multipliedBy(2))
                .until(() ->
                        Integer.valueOf(2)
                                .equals(
                                        in.client()
                                                .resource(autoscaler)
                                                .get()
                                                .getStatus()
                                                .getDesiredReplicas()));
        busy.interrupt();
    }

    @Test
    void aGuestsLimitsAreChangedInPlace() {
        Container spinner = limited(in.guest("spin").build(), "100m", "64Mi");
        PodResource pod = in.create("resized", in.pod(spinner).withRestartPolicy("Always").build());
        in.awaitReady(pod);

        pod.subresource("resize")
                .edit(found -> {
                    Container container = found.getSpec().getContainers().getFirst();
                    container.setResources(
                            limited(container, "200m", "128Mi").getResources());
                    return found;
                });

        Pod resized =
                in.await(pod, "new limits", found ->
                        status(found, APP).getResources() != null
                                && new Quantity("128Mi")
                                        .equals(
                                                status(found, APP)
                                                        .getResources()
                                                        .getLimits()
                                                        .get("memory")));
        assertThat(status(resized, APP).getRestartCount()).isZero();
        assertThat(status(resized, APP).getResources().getLimits())
                .containsEntry("cpu", new Quantity("200m"));
    }

    private static Container limited(Container container, String cpu, String memory) {
        var limits = Map.of("cpu", new Quantity(cpu), "memory", new Quantity(memory));
        return container.edit()
                .withNewResources()
                .withLimits(limits)
                .withRequests(limits)
                .endResources()
                .build();
    }

    private Optional<ContainerMetrics> metrics(String pod) {
        return in.client().top().pods().metrics(in.name()).getItems().stream()
                .filter(found -> found.getMetadata().getName().equals(pod))
                .flatMap(found -> found.getContainers().stream())
                .findFirst();
    }

    private static BigDecimal used(ContainerMetrics metrics, String resource) {
        Quantity quantity = metrics.getUsage().get(resource);
        return quantity == null ? BigDecimal.ZERO : quantity.getNumericalAmount();
    }
}
