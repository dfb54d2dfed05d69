package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.client.dsl.PodResource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The kubelet asks guests how they are.
@OnCluster
class ProbesClusterE2E {
    private static final int HTTP = 8080;
    private static final int TCP = 7000;

    private final TestNamespace in;

    ProbesClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void aServerThatAnswersIsReady() {
        PodResource pod =
                in.create(
                        "ready",
                        in.pod(in.server().withReadinessProbe(http("/").build()).build()).build());

        in.awaitReady(pod);
    }

    @Test
    void aServerThatAnswersWithAnErrorIsNotReadyButStaysAlive() {
        PodResource pod =
                in.create(
                        "unready",
                        in.pod(
                                        in.server()
                                                .withReadinessProbe(http("/status/503").build())
                                                .withLivenessProbe(http("/").build())
                                                .build())
                                .withRestartPolicy("Always")
                                .build());

        Awaitility.await("an event that says why")
                .until(() ->
                        in.events("unready").stream()
                                .anyMatch(text -> text.contains("statuscode: 503")));

        Pod found = pod.get();
        assertThat(TestNamespace.isReady(found)).isFalse();
        assertThat(status(found, APP).getRestartCount()).isZero();
    }

    @Test
    void aServerWhoseLivenessFailsIsRestarted() {
        Probe probe = http("/status/500").withFailureThreshold(2).build();
        PodResource pod =
                in.create(
                        "sick",
                        in.pod(in.server().withLivenessProbe(probe).build())
                                .withRestartPolicy("Always")
                                .build());

        Pod found = awaitRestart(pod);

        // It drained when it was asked to stop.
        assertThat(status(found, APP).getLastState().getTerminated().getExitCode()).isZero();
        assertThat(in.events("sick")).anyMatch(text -> text.contains("failed liveness probe"));
    }

    @Test
    void aProgramThatListensPassesATcpProbe() {
        PodResource pod =
                in.create(
                        "listens",
                        in.pod(
                                        in.containerOf(
                                                        "guest.p2.wasm",
                                                        "tcp-serve",
                                                        Integer.toString(TCP))
                                                .withReadinessProbe(tcp().build())
                                                .build())
                                .build());

        in.awaitReady(pod);
    }

    @Test
    void aProgramThatDoesNotListenFailsATcpProbe() {
        Probe probe = tcp().withFailureThreshold(2).build();
        PodResource pod =
                in.create(
                        "deaf",
                        in.pod(in.guest("sleep").withLivenessProbe(probe).build())
                                .withRestartPolicy("Always")
                                .build());

        Pod found = awaitRestart(pod);

        assertThat(status(found, APP).getLastState().getTerminated().getExitCode()).isEqualTo(143);
    }

    @Test
    void theOtherProbesWaitForTheStartupProbe() {
        PodResource pod =
                in.create(
                        "starts",
                        in.pod(
                                        in.server()
                                                .withStartupProbe(http("/").build())
                                                .withLivenessProbe(http("/").build())
                                                .build())
                                .build());

        Pod found = in.awaitReady(pod);

        assertThat(status(found, APP).getStarted()).isTrue();
    }

    @Test
    void whatNeverStartsUpIsRestarted() {
        Probe probe = tcp().withFailureThreshold(2).build();
        PodResource pod =
                in.create(
                        "never-up",
                        in.pod(in.guest("sleep").withStartupProbe(probe).build())
                                .withRestartPolicy("Always")
                                .build());

        Pod found = awaitRestart(pod);

        assertThat(TestNamespace.isReady(found)).isFalse();
        assertThat(in.events("never-up")).anyMatch(text -> text.contains("failed startup probe"));
    }

    private Pod awaitRestart(PodResource pod) {
        return in.await(
                pod,
                "restart",
                found ->
                        found.getStatus().getContainerStatuses().stream()
                                .anyMatch(status -> status.getRestartCount() > 0));
    }

    private static ProbeBuilder http(String path) {
        return new ProbeBuilder()
                .withNewHttpGet()
                .withPath(path)
                .withNewPort(HTTP)
                .endHttpGet()
                .withPeriodSeconds(1);
    }

    private static ProbeBuilder tcp() {
        return new ProbeBuilder()
                .withNewTcpSocket()
                .withNewPort(TCP)
                .endTcpSocket()
                .withPeriodSeconds(1);
    }
}
