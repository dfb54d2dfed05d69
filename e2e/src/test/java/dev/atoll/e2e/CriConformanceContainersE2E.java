package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.cri.v1.Container;
import dev.atoll.cri.v1.ContainerFilter;
import dev.atoll.cri.v1.ContainerMetadata;
import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStats;
import dev.atoll.cri.v1.ContainerStatsFilter;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.ListContainerStatsRequest;
import dev.atoll.cri.v1.ListContainersRequest;
import dev.atoll.cri.v1.RemoveContainerRequest;
import dev.atoll.cri.v1.StopContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/// What CRI promises about containers, whatever they run.
@EveryNode
class CriConformanceContainersE2E {
    private static final String UNKNOWN = "0123456789abcdef".repeat(4);
    private static final long MEBIBYTE = 1 << 20;

    private final TestNode on;

    CriConformanceContainersE2E(TestNode on) {
        this.on = on;
    }

    private List<Container> list(ContainerFilter.Builder filter) {
        return on.node()
                .cri()
                .runtime()
                .listContainers(ListContainersRequest.newBuilder().setFilter(filter).build())
                .getContainersList();
    }

    private List<String> statistics(ContainerStatsFilter.Builder filter) {
        return on
                .node()
                .cri()
                .runtime()
                .listContainerStats(
                        ListContainerStatsRequest.newBuilder().setFilter(filter).build())
                .getStatsList()
                .stream()
                .map(stats -> stats.getAttributes().getId())
                .toList();
    }

    @Test
    void aContainerIsCreatedStartedStoppedAndRemoved() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.create(on.toolbox("/bin/top"));
            ContainerStatus created = container.status();
            container.start();
            ContainerStatus running = container.status();
            container.stop(10);
            ContainerStatus stopped = container.status();
            container.remove();

            assertThat(created.getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
            assertThat(running.getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(running.getStartedAt()).isGreaterThan(created.getCreatedAt());
            assertThat(stopped.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
            assertThat(stopped.getFinishedAt()).isGreaterThan(running.getStartedAt());
            assertThat(list(ContainerFilter.newBuilder().setId(container.id()))).isEmpty();
            assertThatThrownBy(container::status).hasMessageContaining("NOT_FOUND");
        }
    }

    @Test
    void whatAContainerIsCalledAndLabelledIsKept() {
        var metadata = ContainerMetadata.newBuilder().setName("named").setAttempt(3).build();
        String colour = UUID.randomUUID().toString();
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.create(
                            on.toolbox("/bin/top")
                                    .with(config ->
                                            config.setMetadata(metadata)
                                                    .putLabels("colour", colour)
                                                    .putAnnotations("note", "a note")));
            PodContainer other = pod.create(on.toolbox("/bin/top"));

            ContainerStatus status = container.status();

            assertThat(status.getMetadata()).isEqualTo(metadata);
            assertThat(status.getLabelsMap()).containsEntry("colour", colour);
            assertThat(status.getAnnotationsMap()).containsEntry("note", "a note");
            assertThat(list(ContainerFilter.newBuilder().putLabelSelector("colour", colour)))
                    .extracting(Container::getId)
                    .containsExactly(container.id());
            assertThat(list(ContainerFilter.newBuilder().setPodSandboxId(pod.id())))
                    .extracting(Container::getId)
                    .containsExactlyInAnyOrder(container.id(), other.id());
        }
    }

    @Test
    void aContainerIsStartedOnce() {
        try (Pod pod = on.pod()) {
            PodContainer running = pod.start(on.toolbox("/bin/top"));
            PodContainer ended = pod.start(on.toolbox("/bin/true"));
            ended.awaitExit();

            assertThatThrownBy(running::start).isInstanceOf(StatusRuntimeException.class);
            assertThatThrownBy(ended::start).isInstanceOf(StatusRuntimeException.class);
            assertThat(running.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(ended.status().getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        }
    }

    @Test
    void aContainerIsRemovedInWhateverStateItIs() {
        try (Pod pod = on.pod()) {
            PodContainer created = pod.create(on.toolbox("/bin/top"));
            PodContainer running = pod.start(on.toolbox("/bin/top"));
            PodContainer ended = pod.start(on.toolbox("/bin/false"));
            assertThat(ended.awaitExit().getExitCode()).isEqualTo(1);

            created.remove();
            running.remove();
            ended.remove();

            assertThat(list(ContainerFilter.newBuilder().setPodSandboxId(pod.id()))).isEmpty();
        }
    }

    @Test
    void aContainerIsStoppedAndRemovedAgainWithoutComplaint() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.toolbox("/bin/top"));
            container.stop(10);
            int exitCode = container.status().getExitCode();

            assertThatCode(() -> container.stop(10)).doesNotThrowAnyException();
            assertThat(container.status().getExitCode()).isEqualTo(exitCode);
            container.remove();
            assertThatCode(container::remove).doesNotThrowAnyException();
        }
    }

    @Test
    void aContainerThatNobodyKnowsIsStoppedAndRemovedWithoutComplaint() {
        var runtime = on.node().cri().runtime();

        assertThatCode(() ->
                        runtime.stopContainer(
                                StopContainerRequest.newBuilder()
                                        .setContainerId(UNKNOWN)
                                        .setTimeout(1)
                                        .build()))
                .doesNotThrowAnyException();
        assertThatCode(() ->
                        runtime.removeContainer(
                                RemoveContainerRequest.newBuilder()
                                        .setContainerId(UNKNOWN)
                                        .build()))
                .doesNotThrowAnyException();
    }

    @Test
    void containersOfAPodAreMadeAtOnce() throws Exception {
        int count = 8;
        try (Pod pod = on.pod();
                var executor = Executors.newFixedThreadPool(count)) {
            var calls = new ArrayList<Callable<PodContainer>>();
            for (int i = 0; i < count; i++) {
                String number = Integer.toString(i);
                calls.add(() -> pod.start(on.toolbox("/bin/sh", "-c", "echo container " + number)));
            }
            List<Future<PodContainer>> made = executor.invokeAll(calls);

            for (int i = 0; i < count; i++) {
                PodContainer container = made.get(i).get();
                assertThat(container.awaitExit().getExitCode()).isZero();
                assertThat(container.log().output()).isEqualTo("container " + i + "\n");
            }
        }
    }

    @Test
    void statisticsAreListedForWhatIsAskedFor() {
        String colour = UUID.randomUUID().toString();
        try (Pod pod = on.pod();
                Pod other = on.pod()) {
            PodContainer first =
                    pod.start(
                            on.toolbox("/bin/top")
                                    .with(config -> config.putLabels("colour", colour)));
            PodContainer second = pod.start(on.toolbox("/bin/top"));
            PodContainer third = other.start(on.toolbox("/bin/top"));

            assertThat(statistics(ContainerStatsFilter.newBuilder()))
                    .contains(first.id(), second.id(), third.id());
            assertThat(statistics(ContainerStatsFilter.newBuilder().setId(first.id())))
                    .containsExactly(first.id());
            assertThat(statistics(ContainerStatsFilter.newBuilder().setPodSandboxId(pod.id())))
                    .containsExactlyInAnyOrder(first.id(), second.id());
            assertThat(
                            statistics(
                                    ContainerStatsFilter.newBuilder()
                                            .putLabelSelector("colour", colour)))
                    .containsExactly(first.id());
            assertThat(
                            statistics(
                                    ContainerStatsFilter.newBuilder()
                                            .putLabelSelector("colour", "none")))
                    .isEmpty();
        }
    }

    @Test
    void statisticsOfABusyContainerGrow() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.toolbox("/bin/sh", "-c", "while true; do true; done"));
            long before = container.stats().getCpu().getUsageCoreNanoSeconds().getValue();

            ContainerStats after =
                    Awaitility.await("use of a processor")
                            .atMost(Duration.ofSeconds(30))
                            .until(
                                    container::stats,
                                    stats ->
                                            stats.getCpu().getUsageCoreNanoSeconds().getValue()
                                                    > before + Duration.ofMillis(50).toNanos());

            assertThat(after.getCpu().getTimestamp()).isPositive();
            assertThat(after.getMemory().getTimestamp()).isPositive();
            assertThat(after.getMemory().getWorkingSetBytes().getValue()).isPositive();
        }
    }

    @Test
    void aContainerThatNeedsMoreMemoryThanItMayHaveIsKilledForIt() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(
                            on.toolbox("/bin/sh", "-c", "dd if=/dev/zero of=/dev/null bs=20M")
                                    .with(config -> {
                                        config.getLinuxBuilder()
                                                .setResources(
                                                        LinuxContainerResources.newBuilder()
                                                                .setMemoryLimitInBytes(
                                                                        15 * MEBIBYTE));
                                        return config;
                                    }));

            ContainerStatus status = container.awaitExit();

            assertThat(status.getExitCode()).isEqualTo(137);
            assertThat(status.getReason()).isEqualTo("OOMKilled");
        }
    }
}
