package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.ContainerKey;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.engine.Policy;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.GuestNetwork;
import org.junit.jupiter.api.Test;

final class DemandsTest {
    private static void check(Specs specs) {
        Demands.check(
                specs.spec(),
                new Placement(
                        "web",
                        new ContainerKey("k8s.io", "p1"),
                        new GuestNetwork.OfTheNode(),
                        Pod.seesNodesProcesses(specs.spec().linux()),
                        new Policy(1),
                        HttpSettings.DEFAULTS,
                        false));
    }

    private static void refuses(Specs specs, String... words) {
        assertThatThrownBy(() -> check(specs))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContainingAll(words)
                .hasMessageNotContaining("\n");
    }

    private static void accepts(Specs specs) {
        assertThatCode(() -> check(specs)).doesNotThrowAnyException();
    }

    @Test
    void aPrivilegedContainerIsRefusedWithAndWithoutDevices() {
        refuses(new Specs().privileged(), "privileged: true");
        refuses(new Specs().privileged().device("/dev/mem"), "privileged: true");
    }

    @Test
    void devicesAreRefusedByTheirNames() {
        refuses(new Specs().device("/dev/fuse"), "asks for /dev/fuse:");
        refuses(
                new Specs().device("/dev/a").device("/dev/b").device("/dev/c").device("/dev/d"),
                "/dev/a, /dev/b, /dev/c and 1 more");
    }

    @Test
    void theNodesProcessesAreRefused() {
        refuses(new Specs().namespace("network").namespace("mount"), "hostPID: true");
        accepts(new Specs().namespace("network").namespace("pid"));
    }

    @Test
    void userNamespacesAreRefused() {
        refuses(new Specs().namespace("pid").namespace("user"), "hostUsers: false");
    }

    @Test
    void whatHasNoMeaningForAGuestIsNoDemand() {
        accepts(new Specs());
        accepts(new Specs().capability("CAP_SYS_ADMIN"));
        accepts(new Specs().unmasked());
    }
}
