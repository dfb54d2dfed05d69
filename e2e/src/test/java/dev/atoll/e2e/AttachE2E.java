package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.pod.ContainerSession;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// What `kubectl attach` does.
@EveryNode
class AttachE2E {
    private final TestNode on;

    AttachE2E(TestNode on) {
        this.on = on;
    }

    @Test
    void inputEndsWithTheFirstClientThatHangsUp() throws IOException {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("cat").stdin());

            try (ContainerSession session = container.attach()) {
                session.type("hello\n").awaitOutput("hello\n");
            }

            assertThat(container.awaitExit().getExitCode()).isZero();
            assertThat(container.log().output()).isEqualTo("hello\n");
        }
    }
}
