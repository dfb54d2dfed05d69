package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What guests may use, and what they are seen to use.
@OnCluster
class ResourcesClusterE2E {
    /// The kubelet asks for figures every ten seconds or so, and needs two answers for a rate.
    private static final Duration FIGURES = Duration.ofMinutes(2);

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

    /// `kubectl top` and autoscalers have their figures from a metrics server, which has them from
    /// here.
    @Test
    @Tag("smoke")
    void theCpuTimeThatAGuestTakesIsMeasured() {
        PodResource pod =
                in.create(
                        "spinner",
                        in.pod(limited(in.guest("spin").build(), "300m", "64Mi")).build());
        in.awaitReady(pod);
        String node = node(pod);

        Awaitility.await("half a second of CPU time")
                .atMost(FIGURES)
                .until(() -> metric(node, "container_cpu_usage_seconds_total", "spinner") > 0.5);
        Awaitility.await("a rate of CPU time")
                .atMost(FIGURES)
                .until(() -> summary(node, "spinner", "cpu", "usageNanoCores") > 50_000_000);
    }

    @Test
    void theMemoryThatAGuestHoldsIsMeasured() {
        PodResource pod =
                in.create(
                        "holder",
                        in.pod(limited(in.guest("hold", "40").build(), "500m", "64Mi")).build());
        in.awaitReady(pod);
        String node = node(pod);

        Awaitility.await("what it holds")
                .atMost(FIGURES)
                .untilAsserted(() -> {
                    assertThat(summary(node, "holder", "memory", "workingSetBytes"))
                            .isBetween(40L << 20, 64L << 20);
                    assertThat(metric(node, "container_memory_working_set_bytes", "holder"))
                            .isBetween(40.0 * (1 << 20), 64.0 * (1 << 20));
                });
    }

    @Test
    void aGuestThatWantsMoreThanItsMemoryGetsItAfterAnIncreaseInPlace() {
        Container server = limited(in.server().build(), "100m", "48Mi");
        PodResource pod = in.create("resized", in.pod(server).withRestartPolicy("Always").build());
        in.awaitReady(pod);

        pod.subresource("resize")
                .edit(found -> {
                    Container container = found.getSpec().getContainers().getFirst();
                    container.setResources(limited(container, "400m", "128Mi").getResources());
                    return found;
                });

        in.await(pod, "new limits", found -> has(status(found, APP), "400m", "128Mi"));
        assertThat(in.ask("resized", "/hog?mib=64")).isEqualTo("held\n");
        assertThat(status(pod.get(), APP).getRestartCount()).isZero();
    }

    private static boolean has(ContainerStatus status, String cpu, String memory) {
        return status.getResources() != null
                && new Quantity(cpu).equals(status.getResources().getLimits().get("cpu"))
                && new Quantity(memory).equals(status.getResources().getLimits().get("memory"));
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

    private static String node(PodResource pod) {
        return pod.get().getSpec().getNodeName();
    }

    /// Returns what the node's kubelet says of a pod's only container in its summary; 0 if it says
    /// nothing yet.
    private long summary(String node, String pod, String resource, String figure) {
        JsonObject summary =
                JsonParser.parseString(kubelet(node, "stats/summary")).getAsJsonObject();
        return summary.getAsJsonArray("pods").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(found -> isOurs(found.getAsJsonObject("podRef"), pod))
                .flatMap(found -> found.getAsJsonArray("containers").asList().stream())
                .map(container -> container.getAsJsonObject().getAsJsonObject(resource))
                .filter(figures -> figures != null && figures.has(figure))
                .mapToLong(figures -> figures.get(figure).getAsLong())
                .findFirst()
                .orElse(0);
    }

    private boolean isOurs(JsonObject reference, String pod) {
        return reference.get("name").getAsString().equals(pod)
                && reference.get("namespace").getAsString().equals(in.name());
    }

    /// Returns what the node's kubelet tells metrics servers about a pod's only container; 0 if it
    /// says nothing yet.
    private double metric(String node, String name, String pod) {
        String labels =
                "container=\"%s\",namespace=\"%s\",pod=\"%s\"".formatted(APP, in.name(), pod);
        return kubelet(node, "metrics/resource")
                .lines()
                .filter(line -> line.startsWith(name + "{" + labels + "}"))
                .map(line -> line.split(" ", -1)[1])
                .mapToDouble(Double::parseDouble)
                .findFirst()
                .orElse(0);
    }

    private String kubelet(String node, String path) {
        return in.client().raw("/api/v1/nodes/%s/proxy/%s".formatted(node, path));
    }
}
