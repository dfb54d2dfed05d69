package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.engine.Policy;
import dev.atoll.sandbox.http.HttpSetting;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.GuestNetwork;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PlacementTest {
    private static final ContainerKey POD = new ContainerKey("k8s.io", "p1");
    private static final ContainerKey CONTAINER = new ContainerKey("k8s.io", "c1");

    /// What CRI writes into a workload's spec: the pid that we reported for the pause.
    private static final String OWN_PID =
            "/proc/%d/ns/net".formatted(ProcessHandle.current().pid());

    private static final NetworkPolicy CLOSED = NetworkPolicy.DEFAULT.withAllow(List.of());

    private final Pods pods = new Pods();
    private final HandlerProfiles profiles =
            HandlerProfiles.of(
                    new NodeSettings(
                            HandlerSettings.DEFAULTS,
                            Map.of(
                                    "restricted",
                                    new HandlerSettings(
                                            HttpSettings.DEFAULTS.with(
                                                    Map.of(HttpSetting.DRAIN, 7_000L)),
                                            CLOSED,
                                            "file")),
                            NodeLimits.DEFAULTS),
                    (name, policy) -> new Policy(policy.equals(CLOSED) ? 2 : 1));

    private void pod(Specs pause, CriPod cri) {
        pods.add(Pod.of(POD, pause.spec(), cri));
    }

    private Placement place(Specs workload) {
        return Placement.of(CONTAINER, workload.spec(), pods, profiles);
    }

    private static Specs inPod() {
        return new Specs()
                .annotation("io.kubernetes.cri.container-type", "container")
                .annotation("io.kubernetes.cri.sandbox-id", "p1")
                .networkNamespace(OWN_PID);
    }

    @Test
    void aContainerHasItsPodsNetworkAndNeverThatOfItsOwnSpec() {
        pod(new Specs().networkNamespace("/run/netns/a"), CriPod.NONE);

        assertThat(place(inPod()).network())
                .isEqualTo(new GuestNetwork.InNamespace(Path.of("/run/netns/a")));
    }

    @Test
    void aGuestIsCalledAsPeopleKnowIt() {
        pod(new Specs(), CriPod.NONE);
        Specs named =
                inPod().annotation("io.kubernetes.cri.sandbox-namespace", "default")
                        .annotation("io.kubernetes.cri.sandbox-name", "web")
                        .annotation("io.kubernetes.cri.container-name", "app");

        assertThat(place(named).name()).isEqualTo("default/web/app");
        assertThat(place(inPod()).name()).isEqualTo("k8s.io/c1");
        assertThat(place(new Specs()).name()).isEqualTo("k8s.io/c1");
    }

    @Test
    void aPodOnTheNodesNetworkSharesIt() {
        pod(new Specs(), CriPod.NONE);

        assertThat(place(inPod()).network()).isEqualTo(new GuestNetwork.OfTheNode());
    }

    @Test
    void aPauseThatAsksForANewNetworkDoesNotGetTheNodes() {
        pod(new Specs().newNetworkNamespace(), CriPod.NONE);

        assertThat(place(inPod()).network()).isEqualTo(new GuestNetwork.Fresh());
    }

    @Test
    void aPodThatIsNotKnownIsRefused() {
        assertThatThrownBy(() -> place(inPod()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageStartingWith(
                        "pod sandbox p1 of container c1 is not known here, so its network is not known either: ");
    }

    @Test
    void aPodOfAnotherNamespaceIsAnother() {
        pods.add(Pod.of(new ContainerKey("moby", "p1"), new Specs().spec(), CriPod.NONE));

        assertThatThrownBy(() -> place(inPod())).isInstanceOf(InvalidWorkload.class);
    }

    @Test
    void aContainerThatDoesNotNameItsPodIsRefused() {
        Specs nameless =
                new Specs()
                        .annotation("io.kubernetes.cri.container-type", "container")
                        .networkNamespace(OWN_PID);

        assertThatThrownBy(() -> place(nameless))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("io.kubernetes.cri.sandbox-id");
    }

    @Test
    void outsideOfPodsTheSpecSaysWhichNetwork() {
        assertThat(place(new Specs()).network()).isEqualTo(new GuestNetwork.OfTheNode());
        assertThat(place(new Specs().newNetworkNamespace()).network())
                .isEqualTo(new GuestNetwork.Fresh());
        assertThat(place(new Specs().networkNamespace("/run/netns/b")).network())
                .isEqualTo(new GuestNetwork.InNamespace(Path.of("/run/netns/b")));
        assertThat(place(new Specs().networkNamespace("/proc/1/ns/net")).network())
                .isEqualTo(new GuestNetwork.InNamespace(Path.of("/proc/1/ns/net")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/proc/self/ns/net",
                "/proc/thread-self/ns/net",
                "/run/../proc/self/ns/net",
                "/proc/self/task/1/ns/net"
            })
    void theDaemonsOwnNetworkIsRefusedOutsideOfPods(String path) {
        assertThatThrownBy(() -> place(new Specs().networkNamespace(path)))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("is that of Atoll's daemon");
        assertThatThrownBy(() -> place(new Specs().networkNamespace(OWN_PID)))
                .isInstanceOf(InvalidWorkload.class);
    }

    @Test
    void policyAndSettingsAreThoseOfThePodsHandler() {
        pod(new Specs(), new CriPod(Optional.of("restricted"), Map.of()));

        assertThat(place(inPod()).policy()).isEqualTo(new Policy(2));
        assertThat(place(inPod()).http().get(HttpSetting.DRAIN)).isEqualTo(7_000);
        assertThat(place(new Specs()).policy()).isEqualTo(new Policy(1));
    }

    @Test
    void annotationsThatCriDidNotPassOnCountAndThoseItPassedOnWin() {
        pod(
                new Specs().annotation("atoll.dev/http-drain", "2s"),
                new CriPod(
                        Optional.empty(),
                        Map.of(
                                "atoll.dev/http-drain", "1s",
                                "atoll.dev/http-queue-timeout", "3s",
                                "atoll.dev/http-idle-timeout", "3s",
                                "example.com/other", "x")));

        HttpSettings settings =
                place(inPod().annotation("atoll.dev/http-idle-timeout", "4s")).http();

        assertThat(settings.get(HttpSetting.DRAIN)).isEqualTo(2_000);
        assertThat(settings.get(HttpSetting.QUEUE_TIMEOUT)).isEqualTo(3_000);
        assertThat(settings.get(HttpSetting.IDLE_TIMEOUT)).isEqualTo(4_000);
        assertThat(pods.find(POD).orElseThrow().annotations())
                .doesNotContainKey("example.com/other");
    }

    @Test
    void aWrongAnnotationOfThePodFailsItsContainer() {
        pod(
                new Specs(),
                new CriPod(Optional.empty(), Map.of("atoll.dev/http-drain", "for a while")));

        assertThatThrownBy(() -> place(inPod()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessage(
                        "annotation atoll.dev/http-drain: expected a duration from 0s to 1h, such as 500ms, 10s, 2m or 1h, found \"for a while\"");
    }
}
