package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.EphemeralContainerBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Pods whose containers are not all wasm, and containers that come before, beside and after the
/// others.
@OnCluster
class MixedPodsClusterE2E {
    private final TestCluster cluster;
    private final TestNamespace in;

    MixedPodsClusterE2E(TestCluster cluster, TestNamespace in) {
        this.cluster = cluster;
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void aNativeContainerAndAGuestShareAPod() {
        PodResource pod =
                in.create(
                        "mixed",
                        in.pod(
                                        in.guest("echo", "wasm").build(),
                                        nativeGuest("echo", "native").withName("native").build())
                                .build());

        in.awaitEnd(pod);

        assertThat(pod.inContainer(APP).getLog()).isEqualTo("wasm\n");
        assertThat(pod.inContainer("native").getLog()).isEqualTo("native\n");
    }

    @Test
    void aGuestReachesANativeServerOnLocalhost() {
        PodResource pod =
                in.create(
                        "localhost",
                        in.pod(
                                        in.containerOf(
                                                        "guest.p2.wasm",
                                                        "tcp-connect",
                                                        "127.0.0.1:7000",
                                                        "to the native one")
                                                .build())
                                .withInitContainers(
                                        nativeGuest("tcp-serve", "7000")
                                                .withName("native")
                                                .withStartupProbe(listens(7000))
                                                .withRestartPolicy("Always")
                                                .build())
                                .build());

        assertThat(in.awaitEnd(pod).getStatus().getPhase()).isEqualTo("Succeeded");
        assertThat(pod.inContainer(APP).getLog()).isEqualTo("to the native one\n");
    }

    @Test
    void aSidecarRunsBesideTheOthersAndEndsAfterThem() {
        PodResource pod =
                in.create(
                        "sidecar",
                        in.pod(in.guest("sleep", "500").build())
                                .withInitContainers(
                                        in.guest("tick", "100")
                                                .withName("sidecar")
                                                .withRestartPolicy("Always")
                                                .build())
                                .build());

        Pod found = in.awaitEnd(pod);

        assertThat(found.getStatus().getPhase()).isEqualTo("Succeeded");
        assertThat(status(found, "sidecar").getState().getTerminated()).isNotNull();
        assertThat(pod.inContainer("sidecar").getLog()).startsWith("tick 0\n");
    }

    @Test
    void ephemeralContainersJoinARunningPod() {
        PodResource pod = in.create("debugged", in.pod(in.guest("sleep").build()).build());
        in.awaitReady(pod);

        pod.ephemeralContainers()
                .edit(found ->
                        new PodBuilder(found)
                                .editSpec()
                                .addToEphemeralContainers(
                                        debugger("native", cluster.nativeImage()),
                                        debugger("wasm", cluster.image("guest.p1.wasm")))
                                .endSpec()
                                .build());

        for (String name : List.of("native", "wasm")) {
            in.await(pod, "end of the debugger " + name, found -> hasEnded(found, name));
            assertThat(pod.inContainer(name).getLog()).isEqualTo("looked around\n");
        }
        assertThat(TestNamespace.isReady(pod.get())).isTrue();
    }

    private static EphemeralContainer debugger(String name, String image) {
        return new EphemeralContainerBuilder()
                .withName(name)
                .withImage(image)
                .withArgs("echo", "looked around")
                .build();
    }

    private static boolean hasEnded(Pod pod, String debugger) {
        return pod.getStatus().getEphemeralContainerStatuses().stream()
                .anyMatch(status ->
                        status.getName().equals(debugger)
                                && status.getState().getTerminated() != null);
    }

    /// A sidecar has started when its startup probe succeeds; the others come after that.
    private static Probe listens(int port) {
        return new ProbeBuilder()
                .withNewTcpSocket()
                .withNewPort(port)
                .endTcpSocket()
                .withPeriodSeconds(1)
                .withFailureThreshold(60)
                .build();
    }

    private ContainerBuilder nativeGuest(String... words) {
        return in.guest(words).withImage(cluster.nativeImage());
    }
}
