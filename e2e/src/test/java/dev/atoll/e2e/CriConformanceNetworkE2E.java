package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.net.NetworkNamespace;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What CRI promises about a pod's name, its name servers and its ports.
@EveryNode
class CriConformanceNetworkE2E {
    private final TestNode on;

    CriConformanceNetworkE2E(TestNode on) {
        this.on = on;
    }

    private static String outputOf(PodContainer container) {
        assertThat(container.awaitExit().getExitCode()).isZero();
        return container.log().output();
    }

    @Test
    void theNameServersOfAPodAreAsItAsksFor() {
        try (Pod pod =
                on.pod(
                        TestNode.request()
                                .dnsServers("10.10.10.10")
                                .dns(List.of("conformance.test"), "ndots:8"))) {
            assertThat(outputOf(pod.start(on.toolbox("/bin/cat", "/etc/resolv.conf"))).lines())
                    .contains(
                            "nameserver 10.10.10.10", "search conformance.test", "options ndots:8");
        }
    }

    @Test
    void theHostNameIsThePods() {
        try (Pod pod = on.pod()) {
            assertThat(outputOf(pod.start(on.toolbox("/bin/hostname"))))
                    .isEqualTo(pod.name() + "\n");
            assertThat(outputOf(pod.start(on.toolbox("/bin/sh", "-c", "echo $HOSTNAME"))))
                    .isEqualTo(pod.name() + "\n");
        }
    }

    @Test
    void aServerIsReachedAtTheAddressOfItsPod() throws IOException {
        try (Pod pod = on.pod()) {
            pod.start(on.toolbox("/bin/httpd", "80")).awaitOutput("httpd");

            assertThat(answerOf(on.node().network(), pod.address(), 80)).isEqualTo("It works\n");
        }
    }

    @Test
    void containersOfAPodReachEachOtherOverItsLoopback() {
        try (Pod pod = on.pod()) {
            pod.start(on.toolbox("/bin/httpd", "80")).awaitOutput("httpd");

            assertThat(outputOf(pod.start(on.toolbox("/bin/wget", "-qO-", "http://127.0.0.1/"))))
                    .isEqualTo("It works\n");
        }
    }

    static String answerOf(NetworkNamespace network, String host, int port) throws IOException {
        try (HttpConnection connection = HttpConnection.open(network, host, port)) {
            HttpReply reply = connection.exchange(HttpConnection.get("/"));
            assertThat(reply.status()).isEqualTo(200);
            return reply.body();
        }
    }
}
