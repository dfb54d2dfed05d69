package dev.atoll.shim.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.LinuxSpec;
import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import dev.atoll.shim.status.InvalidArgument;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class PodKernelTest {
    private static final Namespace IPC = new Namespace("ipc", Optional.empty());
    private static final Namespace UTS = new Namespace("uts", Optional.empty());
    private static final Namespace NETWORK = new Namespace("network", Optional.of("/run/netns/x"));

    private static RuntimeSpec pause(Map<String, String> sysctls, Namespace... namespaces) {
        RuntimeSpec base = NativeNamespacesTest.pause(List.of(namespaces));
        return new RuntimeSpec(
                base.ociVersion(),
                base.process(),
                base.root(),
                base.hostname(),
                base.mounts(),
                base.annotations(),
                new LinuxSpec(
                        base.linux().namespaces(),
                        base.linux().resources(),
                        Optional.empty(),
                        List.of(),
                        sysctls,
                        true));
    }

    @Test
    void anOrdinaryPodHasQueuesAndAHostName() {
        assertThat(PodKernel.arguments(pause(Map.of(), IPC, UTS, NETWORK)))
                .containsExactly("--ipc", "--uts=web-1");
    }

    @Test
    void aPodThatSharesAllWithTheNodeChangesNothing() {
        assertThat(PodKernel.arguments(pause(Map.of()))).isEmpty();
    }

    @Test
    void settingsOfThePodsNamespacesAreMade() {
        assertThat(
                        PodKernel.arguments(
                                pause(
                                        Map.of(
                                                "net.ipv4.ip_unprivileged_port_start",
                                                "0",
                                                "kernel.shm_rmid_forced",
                                                "1",
                                                "net/ipv4/conf/eth0.1/forwarding",
                                                "1"),
                                        IPC,
                                        NETWORK)))
                .containsExactly(
                        "--ipc",
                        "--network=/run/netns/x",
                        "--sysctl=kernel.shm_rmid_forced=1",
                        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
                        "--sysctl=net/ipv4/conf/eth0.1/forwarding=1");
    }

    @Test
    void settingsOfTheNodeAreRefused() {
        for (RuntimeSpec pause :
                List.of(
                        pause(Map.of("vm.swappiness", "0"), IPC, UTS, NETWORK),
                        pause(Map.of("net.core.somaxconn", "9"), IPC, UTS),
                        pause(Map.of("kernel.msgmax", "9"), UTS, NETWORK))) {
            assertThatThrownBy(() -> PodKernel.arguments(pause))
                    .isInstanceOf(InvalidArgument.class)
                    .hasMessageContaining("cannot be set for its native containers");
        }
    }
}
