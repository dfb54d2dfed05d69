package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.node.CommandResult;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/// What an operator asks a node.
@EveryNode
class DiagnosticsE2E {
    private final TestNode on;

    DiagnosticsE2E(TestNode on) {
        this.on = on;
    }

    @Test
    void atollPsListsTheGuests() {
        assumeFalse(TestNode.isNative(), "atoll lists guests only");
        try (Pod pod = on.pod()) {
            PodContainer sleeper = pod.start(on.guest("sleep")).awaitOutput("sleeping");

            CommandResult listing = on.node().atoll("ps");

            assertThat(listing.exitCode()).as(listing.errors()).isZero();
            assertThat(
                            listing.output()
                                    .lines()
                                    .filter(line -> line.contains(sleeper.id().substring(0, 12))))
                    .singleElement()
                    .satisfies(line ->
                            assertThat(line).contains(pod.name()).containsIgnoringCase("running"));
        }
    }

    @Test
    void containerStatisticsTellTheProcessorTimeOfASpinningGuest() {
        try (Pod pod = on.pod()) {
            PodContainer spinner = pod.start(on.guest("spin")).awaitOutput("spinning");

            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .untilAsserted(() ->
                            assertThat(
                                            spinner.stats()
                                                    .getCpu()
                                                    .getUsageCoreNanoSeconds()
                                                    .getValue())
                                    .isGreaterThan(100_000_000));
            assertThat(spinner.stats().getMemory().getWorkingSetBytes().getValue())
                    .isGreaterThan(65_536);
        }
    }
}
