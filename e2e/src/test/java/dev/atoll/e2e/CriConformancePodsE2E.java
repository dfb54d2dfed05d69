package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ListPodSandboxRequest;
import dev.atoll.cri.v1.PodSandbox;
import dev.atoll.cri.v1.PodSandboxFilter;
import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.cri.v1.PodSandboxStatus;
import dev.atoll.cri.v1.RemovePodSandboxRequest;
import dev.atoll.cri.v1.StopPodSandboxRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.e2e.pod.PodRequest;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/// What CRI promises about pods, whatever runs in them.
@EveryNode
class CriConformancePodsE2E {
    private static final String UNKNOWN = "0123456789abcdef".repeat(4);

    private final TestNode on;

    CriConformancePodsE2E(TestNode on) {
        this.on = on;
    }

    private List<PodSandbox> list(PodSandboxFilter.Builder filter) {
        return on.node()
                .cri()
                .runtime()
                .listPodSandbox(ListPodSandboxRequest.newBuilder().setFilter(filter).build())
                .getItemsList();
    }

    private void stop(String id) {
        var _ =
                on.node()
                        .cri()
                        .runtime()
                        .stopPodSandbox(
                                StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build());
    }

    private void remove(String id) {
        var _ =
                on.node()
                        .cri()
                        .runtime()
                        .removePodSandbox(
                                RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build());
    }

    @Test
    void aPodIsReadyUntilItIsStoppedAndListedUntilItIsRemoved() {
        Pod pod = on.pod();
        PodSandboxState running = pod.status().getState();
        pod.stop();
        PodSandboxState stopped = pod.status().getState();
        int listed = list(PodSandboxFilter.newBuilder().setId(pod.id())).size();

        pod.close();

        assertThat(running).isEqualTo(PodSandboxState.SANDBOX_READY);
        assertThat(stopped).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        assertThat(listed).isEqualTo(1);
        assertThat(list(PodSandboxFilter.newBuilder().setId(pod.id()))).isEmpty();
    }

    @Test
    void whatAPodIsCalledAndLabelledIsKept() {
        PodRequest request =
                TestNode.request().label("colour", "coral").annotation("note", "with = and, signs");
        try (Pod pod = on.pod(request)) {
            PodSandboxStatus status = pod.status();

            assertThat(status.getMetadata()).isEqualTo(request.config().getMetadata());
            assertThat(status.getLabelsMap()).isEqualTo(request.config().getLabelsMap());
            assertThat(status.getAnnotationsMap()).isEqualTo(request.config().getAnnotationsMap());
            assertThat(status.getRuntimeHandler()).isEqualTo(request.handler());
            assertThat(status.getCreatedAt()).isPositive();
            assertThat(status.getNetwork().getIp()).startsWith("10.88.");
        }
    }

    @Test
    void podsAreFoundByTheirLabels() {
        String colour = UUID.randomUUID().toString();
        try (Pod pod = on.pod(TestNode.request().label("colour", colour));
                Pod _ = on.pod()) {
            assertThat(list(PodSandboxFilter.newBuilder().putLabelSelector("colour", colour)))
                    .extracting(PodSandbox::getId)
                    .containsExactly(pod.id());
            assertThat(list(PodSandboxFilter.newBuilder().putLabelSelector("colour", "none")))
                    .isEmpty();
        }
    }

    @Test
    void aPodThatStopsEndsItsContainers() {
        try (Pod pod = on.pod()) {
            PodContainer first = pod.start(on.toolbox("/bin/top"));
            PodContainer second = pod.start(on.toolbox("/bin/sleep", "infinity"));

            pod.stop();

            assertThat(List.of(first.status().getState(), second.status().getState()))
                    .containsOnly(ContainerState.CONTAINER_EXITED);
        }
    }

    @Test
    void aPodIsStoppedAndRemovedAgainWithoutComplaint() {
        Pod pod = on.pod();
        var _ = pod.start(on.toolbox("/bin/top"));
        pod.stop();
        pod.stop();
        pod.close();

        assertThatCode(() -> stop(pod.id())).doesNotThrowAnyException();
        assertThatCode(() -> remove(pod.id())).doesNotThrowAnyException();
    }

    @Test
    void aPodThatNobodyKnowsIsStoppedAndRemovedWithoutComplaint() {
        assertThatCode(() -> stop(UNKNOWN)).doesNotThrowAnyException();
        assertThatCode(() -> remove(UNKNOWN)).doesNotThrowAnyException();
    }

    @Test
    void aPodIsRemovedWithAContainerThatStillRuns() {
        Pod pod = on.pod();
        PodContainer container = pod.start(on.toolbox("/bin/top"));

        pod.close();

        assertThat(on.node().ctr("k8s.io", "tasks", "list", "-q").output())
                .doesNotContain(pod.id())
                .doesNotContain(container.id());
    }
}
