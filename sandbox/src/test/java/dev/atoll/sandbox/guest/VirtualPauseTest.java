package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import dev.atoll.sandbox.network.GuestNetwork;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class VirtualPauseTest {
    private static final ContainerKey KEY = new ContainerKey("k8s.io", "pod");

    private final Pods pods = new Pods();
    private final List<WorkloadEnd> ends = new ArrayList<>();
    private final VirtualPause pause = pause(new Specs().networkNamespace("/run/netns/a"));

    private VirtualPause pause(Specs specs) {
        Pod pod =
                Pod.of(
                        KEY,
                        specs.spec(),
                        new CriPod(Optional.of("wasmtime"), Map.of("atoll.dev/x", "y")));
        pods.add(pod);
        return new VirtualPause(pods, pod);
    }

    @Test
    void thePodsNetworkHandlerAndAnnotationsAreFound() {
        assertThat(pods.find(KEY))
                .contains(
                        new Pod(
                                KEY,
                                new GuestNetwork.InNamespace(Path.of("/run/netns/a")),
                                false,
                                Optional.of("wasmtime"),
                                Map.of("annotation", "value", "atoll.dev/x", "y"),
                                Optional.empty()));
    }

    @ParameterizedTest
    @CsvSource({
        "/kubepods/burstable/pod7/abc, /kubepods/burstable/pod7",
        "kubepods-pod7.slice:cri-containerd:abc, kubepods-pod7.slice",
        "/k8s.io/abc, /k8s.io"
    })
    void theCgroupParentIsThePodsPart(String path, String parent) {
        assertThat(Pod.of(KEY, new Specs().cgroupsPath(path).spec(), CriPod.NONE).cgroupParent())
                .contains(parent);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/abc", "abc"})
    void aPathWithoutParentHasNone(String path) {
        assertThat(Pod.of(KEY, new Specs().cgroupsPath(path).spec(), CriPod.NONE).cgroupParent())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"15, 143", "9, 137", "2, 130"})
    void anEndingSignalEndsIt(int signal, int status) {
        pause.start(ends::add);

        pause.signal(signal);

        assertThat(ends).containsExactly(new WorkloadEnd.Signalled(signal));
        assertThat(ends.getFirst().exitStatus()).isEqualTo(status);
        assertThatThrownBy(() -> pause.signal(signal)).isInstanceOf(WorkloadEnded.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 17, 18, 23, 28})
    void otherSignalsDoNot(int signal) {
        pause.start(ends::add);

        pause.signal(signal);

        assertThat(ends).isEmpty();
    }

    @Test
    void aStopSignalIsRefused() {
        pause.start(ends::add);

        assertThatThrownBy(() -> pause.signal(19)).isInstanceOf(InvalidWorkload.class);
    }

    @Test
    void closingEndsARunningOneOnceAndForgetsThePod() {
        pause.start(ends::add);

        pause.close();
        pause.close();

        assertThat(ends).containsExactly(new WorkloadEnd.Signalled(9));
        assertThat(pods.find(KEY)).isEmpty();
    }

    @Test
    void onlyACreatedOneStarts() {
        pause.start(ends::add);

        assertThatThrownBy(() -> pause.start(ends::add)).isInstanceOf(SandboxFailure.class);
    }

    @Test
    void oneEndedBeforeItsStartDoesNotStart() {
        pause.signal(9);

        assertThatThrownBy(() -> pause.start(ends::add)).isInstanceOf(WorkloadEnded.class);
        assertThat(ends).isEmpty();
    }

    @Test
    void aPodExistsOnce() {
        assertThatThrownBy(() -> pause(new Specs()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("exists already");
    }

    @Test
    void itUsesNothing() {
        assertThat(pause.usage()).isEqualTo(WorkloadUsage.NONE);
        assertThat(pause.description()).isEqualTo(new WorkloadDescription("pause", "", "", false));
    }
}
