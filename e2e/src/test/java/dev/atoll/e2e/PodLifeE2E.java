package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What happens between a container's start and its end.
@EveryNode
class PodLifeE2E {
    private static final Duration AT_ONCE = Duration.ofSeconds(5);

    private final TestNode on;

    PodLifeE2E(TestNode on) {
        this.on = on;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hello.p1.wasm", "hello.p2.wasm"})
    void aPodWithoutACommandRunsItsEntrypoint(String guest) {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guestOf(guest));

            ContainerStatus status = container.awaitExit();

            assertThat(status.getExitCode()).isZero();
            assertThat(status.getReason()).isEqualTo("Completed");
            assertThat(container.log().output()).isEqualTo("Hello from WebAssembly\n");
            assertThat(container.log().errors()).isEmpty();
        }
    }

    @Test
    void outputAndErrorsAreLoggedApart() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("both", "to output", "to errors"));
            container.awaitExit();

            assertThat(container.log().output()).isEqualTo("to output\n");
            assertThat(container.log().errors()).isEqualTo("to errors\n");
        }
    }

    @ParameterizedTest
    @CsvSource({"0, Completed", "3, Error", "255, Error"})
    void theExitCodeComesBack(int code, String reason) {
        try (Pod pod = on.pod()) {
            ContainerStatus status =
                    pod.start(on.guest("exit", Integer.toString(code))).awaitExit();

            assertThat(status.getExitCode()).isEqualTo(code);
            assertThat(status.getReason()).isEqualTo(reason);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "guest.p1.wasm, unreachable",
        "guest.p2.wasm, unreachable",
        "guest.p1.wasm, panic",
        "guest.p1.wasm, overflow"
    })
    void aTrapEndsWith134AndItsBacktraceInTheLog(String guest, String how) {
        assumeFalse(TestNode.isNative(), "native programs do not trap");
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guestOf(guest, how));

            ContainerStatus status = container.awaitExit();

            assertThat(status.getExitCode()).isEqualTo(134);
            assertThat(container.log().errors()).contains("wasm").contains("trap");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aTightLoopIsKilledAtOnce(String guest) {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guestOf(guest, "spin")).awaitOutput("spinning");
            Instant before = Instant.now();

            container.stop(0);

            assertThat(Duration.between(before, Instant.now())).isLessThan(AT_ONCE);
            assertThat(container.awaitExit().getExitCode()).isEqualTo(137);
        }
    }

    @ParameterizedTest
    @CsvSource({"guest.p1.wasm, spin", "guest.p1.wasm, sleep", "guest.p2.wasm, sleep"})
    void aGuestThatIsAskedToStopEndsWithoutWaitingOutTheGracePeriod(String guest, String how) {
        assumeFalse(TestNode.isNative(), "the first process of a native container ignores SIGTERM");
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guestOf(guest, how)).awaitOutput("ing");
            Instant before = Instant.now();

            container.stop(30);

            assertThat(Duration.between(before, Instant.now())).isLessThan(AT_ONCE);
            assertThat(container.awaitExit().getExitCode()).isEqualTo(143);
        }
    }

    @Test
    void severalContainersShareAPod() {
        try (Pod pod = on.pod()) {
            PodContainer sleeper = pod.start(on.guest("sleep")).awaitOutput("sleeping");
            PodContainer first = pod.start(on.guest("echo", "first"));
            PodContainer second = pod.start(on.guestOf("guest.p2.wasm", "echo", "second"));
            first.awaitExit();
            second.awaitExit();

            assertThat(List.of(first.log().output(), second.log().output()))
                    .containsExactly("first\n", "second\n");
            assertThat(sleeper.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(pod.status().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
        }
    }

    @Test
    void aContainerIsRestartedInItsPod() {
        try (Pod pod = on.pod()) {
            PodContainer first = pod.start(on.guest("exit", "3"));
            assertThat(first.awaitExit().getExitCode()).isEqualTo(3);
            first.remove();

            PodContainer second = pod.start(on.guest("echo", "again"));

            assertThat(second.awaitExit().getExitCode()).isZero();
            assertThat(second.log().output()).isEqualTo("again\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void tenMegabytesOfOutputArriveWhole(String guest) {
        int size = 10 << 20;
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guestOf(guest, "spam", Integer.toString(size)));
            container.awaitExit();

            byte[] output = container.log().outputBytes();
            assertThat(output.length).isEqualTo(size);
            assertThat(linesInOrder(output)).isEqualTo(size / 64);
        }
    }

    private static int linesInOrder(byte[] output) {
        int count = 0;
        for (int at = 0; at + 64 <= output.length; at += 64) {
            if (Integer.parseInt(new String(output, at, 10, StandardCharsets.US_ASCII)) != count) {
                return count;
            }
            count++;
        }
        return count;
    }

    @Test
    void outputWithoutAFinalNewlineIsKept() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("spam-no-newline", "256"));
            container.awaitExit();

            assertThat(container.log().output()).hasSize(255).doesNotEndWith("\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void argumentsEnvironmentAndWorkingDirectoryAreAsGiven(String guest) {
        try (Pod pod = on.pod()) {
            PodContainer arguments = pod.start(on.guestOf(guest, "args", "with space", "ä", ""));
            PodContainer environment =
                    pod.start(on.guestOf(guest, "env").env("GREETING", "hello = world"));
            PodContainer directory = pod.start(on.guestOf(guest, "cwd").workingDirectory("/"));
            arguments.awaitExit();
            environment.awaitExit();
            directory.awaitExit();

            assertThat(arguments.log().output()).endsWith("args\nwith space\nä\n\n");
            assertThat(environment.log().output().lines()).contains("GREETING=hello = world");
            assertThat(directory.log().output()).isEqualTo("/\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void clocksAndRandomNumbersWork(String guest) {
        try (Pod pod = on.pod()) {
            PodContainer clock = pod.start(on.guestOf(guest, "clock"));
            PodContainer random = pod.start(on.guestOf(guest, "random"));
            PodContainer another = pod.start(on.guestOf(guest, "random"));
            clock.awaitExit();
            random.awaitExit();
            another.awaitExit();

            assertThat(clock.log().output())
                    .contains("monotonic true")
                    .containsPattern("realtime [1-9][0-9]{9}");
            assertThat(random.log().output()).isNotEqualTo(another.log().output());
        }
    }

    @Test
    void aContainerThatWasRemovedIsForgotten() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("sleep")).awaitOutput("sleeping");
            container.remove();

            assertThat(on.node().ctr("k8s.io", "tasks", "list", "-q").output())
                    .doesNotContain(container.id());
        }
    }
}
