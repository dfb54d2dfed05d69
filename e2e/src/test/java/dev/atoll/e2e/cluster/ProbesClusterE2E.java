package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.client.dsl.PodResource;
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

        in.awaitEvent("unready", "statuscode: 503");

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

        Pod found = in.awaitRestart(pod);

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

        Pod found = in.awaitRestart(pod);

        assertThat(status(found, APP).getLastState().getTerminated().getExitCode()).isEqualTo(143);
    }

    @Test
    void theOtherProbesWaitForTheStartupProbe() {
        PodResource pod =
                in.create(
                        "starts",
                        in.pod(
                                        in.server()
                                                .withStartupProbe(
                                                        http("/read?path=/started")
                                                                .withFailureThreshold(1000)
                                                                .build())
                                                .withLivenessProbe(
                                                        http("/status/500")
                                                                .withFailureThreshold(1)
                                                                .build())
                                                .build())
                                .withRestartPolicy("Always")
                                .build());
        in.awaitEvent("starts", "Startup probe failed");

        Pod starting = pod.get();
        assertThat(status(starting, APP).getStarted()).isFalse();
        assertThat(TestNamespace.isReady(starting)).isFalse();
        assertThat(status(starting, APP).getRestartCount()).isZero();
        assertThat(in.events("starts")).noneMatch(text -> text.contains("Liveness"));

        in.ask("starts", "/write?path=/started&text=yes");

        in.awaitRestart(pod);
        assertThat(in.events("starts")).anyMatch(text -> text.contains("failed liveness probe"));
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

        Pod found = in.awaitRestart(pod);

        assertThat(TestNamespace.isReady(found)).isFalse();
        assertThat(in.events("never-up")).anyMatch(text -> text.contains("failed startup probe"));
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
