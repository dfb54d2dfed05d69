package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import org.junit.jupiter.api.Test;

final class DemandsTest {
    private static void refuses(Specs specs, String... words) {
        assertThatThrownBy(() -> Demands.check(specs.spec()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContainingAll(words)
                .hasMessageNotContaining("\n");
    }

    private static void accepts(Specs specs) {
        assertThatCode(() -> Demands.check(specs.spec())).doesNotThrowAnyException();
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
