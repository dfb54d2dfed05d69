package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.net.NameServer;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.e2e.pod.PodRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Names are resolved as the pod says, by its name server.
@EveryNode
class NamesE2E {
    /// As many addresses as do not fit into 512 bytes, and no more than musl's resolver takes.
    private static final int MANY = 40;

    private static final List<String> SEARCHES =
            List.of("default.svc.cluster.local", "svc.cluster.local", "cluster.local");

    private final TestNode on;
    private NameServer names;

    NamesE2E(TestNode on) throws IOException {
        this.on = on;
        this.names = start(on);
    }

    private static NameServer start(TestNode on) throws IOException {
        return NameServer.start(
                on.node().network(),
                NameServer.join(
                        List.of(
                                "10.1.2.3 plain.test",
                                "10.1.2.4 both.test",
                                "fd00::4 both.test",
                                "fd00::6 six.test",
                                "10.1.2.5 web.default.svc.cluster.local",
                                "10.1.2.6 web.other.svc.cluster.local",
                                // Found by the search first, since it has fewer dots than ndots.
                                "10.1.2.7 a.b",
                                "10.1.2.8 a.b.default.svc.cluster.local"),
                        NameServer.manyAddresses("many.test", MANY)));
    }

    @AfterEach
    void stopNames() throws IOException {
        names.close();
    }

    private static PodRequest request() {
        return TestNode.request().dns(SEARCHES, "ndots:5");
    }

    private ContainerRequest resolve(String name) {
        return on.guestOf("guest.p2.wasm", "resolve", name);
    }

    private List<String> resolved(String name) {
        return resolved(resolve(name));
    }

    private List<String> resolved(ContainerRequest request) {
        try (Pod pod = on.pod(request())) {
            PodContainer container = pod.start(request);

            assertThat(container.awaitExit().getExitCode()).as(container.log().errors()).isZero();
            return container.log().output().lines().toList();
        }
    }

    @Test
    void aNameIsResolvedByThePodsNameServer() {
        assertThat(resolved("plain.test")).containsExactly("10.1.2.3");
        assertThat(names.log()).contains("plain.test from 10.88.");
    }

    @Test
    void addressesOfBothFamiliesAreFound() {
        assertThat(resolved("both.test")).containsExactly("10.1.2.4", "fd00::4");
    }

    @Test
    void aNameThatHasOnlyAnIpv6AddressIsFound() {
        assertThat(resolved("six.test")).containsExactly("fd00::6");
    }

    @Test
    void shortNamesAreCompletedByTheSearchDomains() {
        assertThat(resolved("web")).containsExactly("10.1.2.5");
        assertThat(resolved("web.other")).containsExactly("10.1.2.6");
    }

    @Test
    void aNameWithFewDotsIsSearchedFirstAndOneThatEndsWithADotNever() {
        assertThat(resolved("a.b")).containsExactly("10.1.2.8");
        assertThat(resolved("a.b.")).containsExactly("10.1.2.7");
    }

    @Test
    void anAnswerThatIsTooLongForADatagramIsAskedForAgainByTcp() {
        assertThat(resolved("many.test"))
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, MANY)
                                .mapToObj(number -> "10.77.0." + number)
                                .sorted()
                                .collect(Collectors.toList()));
    }

    /// Returns the container with the `/etc/hosts` that a kubelet would give it.
    private ContainerRequest withHosts(ContainerRequest request, String... lines) {
        String hosts = "/var/lib/atoll/hosts-" + UUID.randomUUID();
        try {
            Files.writeString(
                    on.node().path(hosts),
                    "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
                            + String.join("\n", lines)
                            + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("write " + hosts, e);
        }
        return request.mount(hosts, "/etc/hosts", true);
    }

    @Test
    void etcHostsComesFirst() {
        String line = "10.9.9.9\tplain.test alias";

        assertThat(resolved(withHosts(resolve("plain.test"), line))).containsExactly("10.9.9.9");
        assertThat(resolved(withHosts(resolve("alias"), line))).containsExactly("10.9.9.9");
        assertThat(names.log()).doesNotContain("plain.test");
    }

    @Test
    void addressesNeedNobodyToResolveThem() {
        assertThat(resolved("10.1.1.1")).containsExactly("10.1.1.1");
        assertThat(names.log()).doesNotContain("query");
    }

    @Test
    void localhostIsThePodItself() {
        assertThat(resolved("localhost")).contains("127.0.0.1");
    }

    @Test
    void aNameThatNobodyKnowsFails() {
        try (Pod pod = on.pod(request())) {
            PodContainer container = pod.start(resolve("unknown.test"));

            assertThat(container.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(names.log()).contains("unknown.test.cluster.local");
        }
    }

    @Test
    void theNodesOwnNamesAreNotSeen() {
        String node = on.node().exec("hostname").orThrow("ask for the node's name").strip();
        assertThat(on.node().exec("getent", "hosts", node).exitCode()).isZero();
        try (Pod pod = on.pod(request())) {
            PodContainer container = pod.start(withHosts(resolve(node)));

            assertThat(container.awaitExit().getExitCode()).isEqualTo(1);
        }
    }

    @Test
    void aNameServerThatDoesNotAnswerIsPassedOver() throws IOException {
        names.close();
        names =
                NameServer.start(
                        on.node().network(), "10.96.0.11", List.of("10.1.2.9 second.test"));
        PodRequest twoServers = request().dnsServers("10.96.0.10", "10.96.0.11");
        try (Pod pod = on.pod(twoServers)) {
            PodContainer container = pod.start(resolve("second.test"));

            assertThat(container.awaitExit().getExitCode()).as(container.log().errors()).isZero();
            assertThat(container.log().output()).isEqualTo("10.1.2.9\n");
        }
    }
}
