package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.pod.ContainerSession;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Containers and commands at a terminal.
@EveryNode
class TerminalE2E {
    private static final String CONTROL_C = "\u0003";
    private static final String CONTROL_D = "\u0004";

    private final TestNode on;

    TerminalE2E(TestNode on) {
        this.on = on;
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void allStreamsOfAContainerAreItsTerminal(String guest) {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guestOf(guest, "tty").terminal());
            container.awaitExit();

            // The terminal ends lines with \r\n, of which containerd's log keeps the newline alone.
            assertThat(container.log().output()).isEqualTo("true true true\n");
        }
    }

    @Test
    void whoAttachesSeesWhatIsTypedTwiceAndEndsItByControlD() throws IOException {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("cat").terminal());

            try (ContainerSession session = container.attachToTerminal()) {
                session.resize(100, 30).type("hi\r").awaitOutput("hi\r\nhi\r\n");
                session.type(CONTROL_D);
                assertThat(container.awaitExit().getExitCode()).isZero();
            }
        }
    }

    @Test
    void aCommandAtATerminalIsTypedToAndInterrupted() throws IOException {
        assumeFalse(TestNode.isNative(), "what can be executed is Atoll's own");
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("sleep")).awaitOutput("sleeping");
            try (ContainerSession session = container.execAtTerminal("app", "cat")) {
                session.resize(80, 24).type("hi\r").awaitOutput("hi\r\nhi\r\n");
                session.type(CONTROL_D);
                assertThat(session.awaitEnd().exitCode()).isZero();
            }
            try (ContainerSession session = container.execAtTerminal("app", "spin")) {
                session.awaitOutput("spinning");
                session.type(CONTROL_C);
                assertThat(session.awaitEnd().exitCode()).isEqualTo(130);
            }
            try (ContainerSession session = container.execAtTerminal("bash")) {
                assertThat(session.awaitEnd().exitCode()).isEqualTo(127);
                assertThat(session.output()).startsWith("atoll: bash: not found").endsWith("\r\n");
            }
        }
    }
}
