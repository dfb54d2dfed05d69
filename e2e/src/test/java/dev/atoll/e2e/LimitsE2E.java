package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.UpdateContainerResourcesRequest;
import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a container may use, what is told of it, and how that changes while it runs.
@EveryNode
class LimitsE2E {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final long MEBIBYTE = 1 << 20;
    private static final long MILLISECOND = 1_000_000;

    private final TestNode on;

    LimitsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "numbers are those of guests");
    }

    /// As kubelet resizes a container in place.
    private void update(
            PodContainer container, UnaryOperator<LinuxContainerResources.Builder> limits) {
        var _ =
                on.node()
                        .cri()
                        .runtime()
                        .updateContainerResources(
                                UpdateContainerResourcesRequest.newBuilder()
                                        .setContainerId(container.id())
                                        .setLinux(
                                                limits.apply(LinuxContainerResources.newBuilder()))
                                        .build());
    }

    private static long cpu(PodContainer container) {
        return container.stats().getCpu().getUsageCoreNanoSeconds().getValue();
    }

    /// What `ctr task metrics` shows.
    private JsonObject metrics(PodContainer container) {
        String json =
                on.node()
                        .ctr("k8s.io", "tasks", "metrics", "--format", "json", container.id())
                        .orThrow("metrics of " + container.id());
        return JsonParser.parseString(json).getAsJsonObject();
    }

    private long throttled(PodContainer container) {
        JsonObject cpu = metrics(container).getAsJsonObject("cpu");
        // Zeros are left out.
        return cpu.has("nr_throttled") ? cpu.get("nr_throttled").getAsLong() : 0;
    }

    private void awaitCpu(PodContainer container, long nanos) {
        Awaitility.await().atMost(DEADLINE).until(() -> cpu(container) >= nanos);
    }

    @Test
    void aGuestBeyondItsMemoryLimitIsOomKilledAndTheNextOneLivesOn() {
        try (Pod pod = on.pod()) {
            PodContainer neighbour = pod.start(on.guest("sleep")).awaitOutput("sleeping");
            PodContainer hog =
                    pod.start(
                            on.guest("hog", "64")
                                    .limits(l -> l.setMemoryLimitInBytes(32 * MEBIBYTE)));

            ContainerStatus status = hog.awaitExit();

            assertThat(status.getExitCode()).isEqualTo(137);
            assertThat(status.getReason()).isEqualTo("OOMKilled");
            assertThat(hog.log().errors())
                    .contains("the container's memory limit of 33554432 bytes was reached");
            assertThat(neighbour.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    @Test
    void whatAGuestUsesIsMeasured() {
        try (Pod pod = on.pod()) {
            PodContainer holder =
                    pod.start(
                                    on.guest("hold", "20")
                                            .limits(l -> l.setMemoryLimitInBytes(64 * MEBIBYTE)))
                            .awaitOutput("held");

            assertThat(holder.stats().getMemory().getWorkingSetBytes().getValue())
                    .isBetween(20 * MEBIBYTE, 64 * MEBIBYTE);
            JsonObject memory = metrics(holder).getAsJsonObject("memory");
            assertThat(memory.get("usage").getAsLong()).isBetween(20 * MEBIBYTE, 64 * MEBIBYTE);
            assertThat(memory.get("usage_limit").getAsLong()).isEqualTo(64 * MEBIBYTE);
            assertThat(cpu(holder)).isPositive();
        }
    }

    @Test
    void aQuotaHoldsAGuestBackUntilAnUpdateTakesItAway() {
        try (Pod pod = on.pod()) {
            PodContainer spinner =
                    pod.start(
                                    on.guest("spin")
                                            .limits(l ->
                                                    l.setCpuQuota(10_000).setCpuPeriod(100_000)))
                            .awaitOutput("spinning");
            Awaitility.await().atMost(DEADLINE).until(() -> throttled(spinner) >= 5);

            long wall = System.nanoTime();
            long before = cpu(spinner);
            awaitCpu(spinner, before + 100 * MILLISECOND);
            long used = cpu(spinner) - before;
            // A tenth of a core, and what one period may be ahead.
            assertThat(used)
                    .isLessThan((System.nanoTime() - wall) / 10 * 12 / 10 + 20 * MILLISECOND);

            update(spinner, l -> l.setCpuShares(1024).setCpuQuota(-1).setCpuPeriod(100_000));
            long free = throttled(spinner);
            awaitCpu(spinner, cpu(spinner) + 500 * MILLISECOND);
            assertThat(throttled(spinner)).isEqualTo(free);

            update(spinner, l -> l.setCpuQuota(10_000).setCpuPeriod(100_000));
            Awaitility.await().atMost(DEADLINE).until(() -> throttled(spinner) >= free + 5);
        }
    }

    @Test
    void aMemoryLimitChangesWhileTheGuestRunsButNotBelowWhatItUses() {
        try (Pod pod = on.pod()) {
            PodContainer holder =
                    pod.start(
                                    on.guest("hold", "20")
                                            .limits(l -> l.setMemoryLimitInBytes(64 * MEBIBYTE)))
                            .awaitOutput("held");

            update(holder, l -> l.setMemoryLimitInBytes(32 * MEBIBYTE));
            StatusRuntimeException refused =
                    catchThrowableOfType(
                            StatusRuntimeException.class,
                            () -> update(holder, l -> l.setMemoryLimitInBytes(16 * MEBIBYTE)));

            assertThat(refused).hasMessageContaining("cannot become 16777216 bytes: it uses ");
            assertThat(metrics(holder).getAsJsonObject("memory").get("usage_limit").getAsLong())
                    .isEqualTo(32 * MEBIBYTE);
            assertThat(holder.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        }
    }

    @Test
    void aServerGrowsAfterItsLimitWasRaised() throws Exception {
        ContainerRequest small = on.server().limits(l -> l.setMemoryLimitInBytes(16 * MEBIBYTE));
        try (WebPod web = WebPod.run(on, TestNode.request(), small)) {
            update(web.container(), l -> l.setMemoryLimitInBytes(128 * MEBIBYTE));

            assertThat(web.get("/hog?mib=40").body()).isEqualTo("held\n");
        }
    }

    /// `e2e/node/boot` grants all guests together 4 GiB.
    @Test
    void aGuestThatTheNodeHasNoMemoryForIsRefusedInOneSentence() {
        String image = on.images().push(Artifact.of(Checkout.guest("huge.wat")));

        String sentence = Refusal.of(on, ContainerRequest.of(image));

        assertThat(sentence)
                .startsWith("no memory for another guest: ")
                .contains("begins with 4295016448 bytes")
                .contains("of 4294967296; end some, or raise limits.memory");
    }
}
