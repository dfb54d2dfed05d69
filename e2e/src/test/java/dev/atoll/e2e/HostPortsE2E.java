package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.pod.Pod;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Ports of the node that lead to a pod (`hostPort`). They are the work of the node's network
/// plugins and of no version of containerd.
@OneNode
class HostPortsE2E {
    private static final String NODE = "10.88.0.1";

    private final TestNode on;

    HostPortsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void forward() {
        on.node().forwardHostPorts(true);
    }

    @AfterEach
    void forwardNoMore() {
        on.node().forwardHostPorts(false);
    }

    @Test
    void aPortOfTheNodeLeadsToThePod() throws IOException {
        try (Pod pod = on.pod(TestNode.request().hostPort(12_000, 80))) {
            pod.start(on.toolbox("/bin/httpd", "80")).awaitOutput("httpd");

            assertThat(CriConformanceNetworkE2E.answerOf(on.node().network(), NODE, 12_000))
                    .isEqualTo("It works\n");
            assertThat(CriConformanceNetworkE2E.answerOf(on.node().network(), pod.address(), 80))
                    .isEqualTo("It works\n");
        }
    }
}
