package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeRuntimeHandler;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What administrators do with the chart's release and the installer's image, beside installing.
@OnCluster
@Timeout(600)
class ReleaseClusterE2E {
    private static final Duration DEADLINE = Duration.ofMinutes(3);
    private static final String LABEL = "atoll.dev/wasmtime";

    private final TestCluster cluster;
    private final TestNamespace in;
    private final Release release;

    ReleaseClusterE2E(TestCluster cluster, TestNamespace in) {
        this.cluster = cluster;
        this.in = in;
        this.release = new Release(cluster.kubeconfig());
    }

    @Test
    @Tag("smoke")
    void helmTestRunsAPodOfEachRuntimeClass() {
        release.upgrade("test.image=" + cluster.image("hello.p1.wasm"));

        assertThat(release.test())
                .contains("TEST SUITE:     atoll-test-" + cluster.handler())
                .contains("TEST SUITE:     atoll-test-" + TestCluster.RESTRICTED)
                .doesNotContain("Failed");
    }

    @Test
    void doctorInAPodFindsNothingWrongWithItsNode() {
        PodResource pod = in.create("doctor", doctor());

        assertThat(in.awaitEnd(pod).getStatus().getPhase()).as(pod.getLog()).isEqualTo("Succeeded");
        assertThat(pod.getLog())
                .contains("fine  pod: one of the runtime wasmtime ran to its end")
                .doesNotContain("wrong ");
    }

    @Test
    void whatTheChartInstalledIsTakenAwayByItAndCanBeInstalledAgain() {
        String values = release.values();
        awaitNoGuests();

        release.upgrade("mode=uninstall");
        try {
            assertThat(nodes())
                    .allSatisfy(node ->
                            assertThat(node.getMetadata().getLabels()).doesNotContainKey(LABEL));
            Awaitility.await("kubelets without the handler")
                    .atMost(DEADLINE)
                    .until(() -> nodes().stream().noneMatch(this::hasHandler));
        } finally {
            release.uninstall();
        }
        assertThatThrownBy(() -> in.create("early", in.pod(in.guest().build()).build()))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("RuntimeClass");
        assertThat(logOf("native", nativePod())).isEqualTo("still here\n");

        release.install(values);

        Awaitility.await("nodes that are ready for guests")
                .atMost(DEADLINE)
                .until(() ->
                        nodes().stream()
                                .allMatch(node ->
                                        "ready".equals(node.getMetadata().getLabels().get(LABEL))));
        assertThat(logOf("back", in.pod(in.guest("echo", "back").build()).build()))
                .isEqualTo("back\n");
    }

    private String logOf(String name, PodSpec spec) {
        PodResource pod = in.create(name, spec);
        in.awaitEnd(pod);
        return pod.getLog();
    }

    private PodSpec nativePod() {
        return in.pod(in.guest("echo", "still here").withImage(cluster.nativeImage()).build())
                .withRuntimeClassName(null)
                .build();
    }

    /// Namespaces of earlier tests end in their own time; a node with guests keeps Atoll.
    private void awaitNoGuests() {
        Awaitility.await("the end of earlier guests")
                .atMost(DEADLINE)
                .until(() ->
                        cluster.client().pods().inAnyNamespace().list().getItems().stream()
                                .allMatch(pod -> pod.getSpec().getRuntimeClassName() == null));
    }

    private List<Node> nodes() {
        return cluster.client().nodes().list().getItems();
    }

    private boolean hasHandler(Node node) {
        return node.getStatus().getRuntimeHandlers().stream()
                .map(NodeRuntimeHandler::getName)
                .anyMatch(cluster.handler()::equals);
    }

    /// As `kubectl debug node/NODE --profile=sysadmin` makes one of the installer's image.
    private PodSpec doctor() {
        String image =
                cluster.client()
                        .apps()
                        .daemonSets()
                        .inNamespace(Release.NAMESPACE)
                        .withName("atoll")
                        .get()
                        .getSpec()
                        .getTemplate()
                        .getSpec()
                        .getInitContainers()
                        .getFirst()
                        .getImage();
        Container container =
                new ContainerBuilder()
                        .withName(APP)
                        .withImage(image)
                        .withCommand("/opt/atoll/bin/atoll", "doctor", "--host=/host")
                        .withNewSecurityContext()
                        .withPrivileged(true)
                        .endSecurityContext()
                        .addNewVolumeMount()
                        .withName("host")
                        .withMountPath("/host")
                        .endVolumeMount()
                        .build();
        return new PodSpecBuilder()
                .withNodeName(nodes().getFirst().getMetadata().getName())
                .withRestartPolicy("Never")
                .withHostPID(true)
                .withHostNetwork(true)
                .withHostIPC(true)
                .withContainers(container)
                .addNewVolume()
                .withName("host")
                .withNewHostPath("/", "")
                .endVolume()
                .build();
    }
}
