package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.time.Duration;
import java.time.Instant;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Guests that are killed wherever they are, and leave nothing.
@EveryNode
class KillE2E {
    private static final Duration AT_ONCE = Duration.ofSeconds(5);

    private final TestNode on;

    KillE2E(TestNode on) {
        this.on = on;
    }

    @ParameterizedTest
    @CsvSource({
        "guest.p1.wasm, spin, spinning",
        "guest.p2.wasm, spin, spinning",
        "guest.p1.wasm, sleep, sleeping",
        "guest.p2.wasm, sleep, sleeping",
        "guest.p2.wasm, udp-wait, waiting",
        "guest.p2.wasm, tcp-serve 7000, listening",
        "guest.p1.wasm, tick 1, tick 3",
    })
    void sigkillEndsAGuestAtOnce(String guest, String command, String said) {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guestOf(guest, command.split(" ", -1))).awaitOutput(said);
            Instant before = Instant.now();

            container.stop(0);

            assertThat(Duration.between(before, Instant.now())).isLessThan(AT_ONCE);
            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }

    @Test
    void sigkillEndsAGuestThatWaitsForInput() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("cat").stdin());

            container.stop(0);

            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }

    @Test
    void killedGuestsLeaveNothing() {
        assumeFalse(TestNode.isNative(), "the daemon's descriptors are counted");
        kill(5);
        TreeMap<String, Integer> before = Leftovers.of(on.node()).counts();

        kill(20);

        Leftovers.of(on.node()).awaitAsBefore(before);
    }

    private void kill(int times) {
        for (int i = 0; i < times; i++) {
            try (Pod pod = on.pod()) {
                pod.start(on.guest("spin")).awaitOutput("spinning").stop(0);
                pod.start(on.guest("cat").terminal()).stop(0);
            }
        }
    }
}
