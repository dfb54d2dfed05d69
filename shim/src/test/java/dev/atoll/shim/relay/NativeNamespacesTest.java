package dev.atoll.shim.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.LinuxSpec;
import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.testing.Fakes;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class NativeNamespacesTest {
    private static final int DAEMON = 7;
    private static final String CNI = "/var/run/netns/cni-1";

    /// What CRI's specs have in an ordinary pod.
    private static final List<Namespace> POD =
            List.of(of("pid"), of("ipc"), of("uts"), of("mount"), at("network", CNI));

    /// The daemon's are the node's; pid 8 is a native container; nobody has pid 9.
    private static final HostNamespaces HOST =
            (_, path) -> {
                if (path.startsWith("/proc/9")) {
                    throw new NoSuchFileException(path.toString());
                }
                return path.startsWith("/proc/" + DAEMON);
            };

    private static Namespace of(String type) {
        return new Namespace(type, Optional.empty());
    }

    private static Namespace at(String type, String path) {
        return new Namespace(type, Optional.of(path));
    }

    private static Namespace ofPid(String type, int pid) {
        return at(type, "/proc/%d/ns/%s".formatted(pid, type.equals("network") ? "net" : type));
    }

    static RuntimeSpec pause(List<Namespace> namespaces) {
        RuntimeSpec base = Fakes.spec(Map.of());
        return new RuntimeSpec(
                base.ociVersion(),
                base.process(),
                base.root(),
                Optional.of("web-1"),
                base.mounts(),
                base.annotations(),
                new LinuxSpec(namespaces, Resources.NONE, Optional.empty()));
    }

    private static List<Namespace> rewritten(List<Namespace> pause, Namespace... asked) {
        return new NativeNamespaces("c1", pause(pause), new FakePodNamespaces(), HOST)
                .of(List.of(asked));
    }

    /// As CRI writes it for a container: all by the pid of the pause.
    private static Namespace[] asked(Namespace pid) {
        return new Namespace[] {
            pid,
            of("mount"),
            of("cgroup"),
            ofPid("network", DAEMON),
            ofPid("ipc", DAEMON),
            ofPid("uts", DAEMON)
        };
    }

    @Test
    void anOrdinaryContainerHasThePodsNamespacesAndItsOwnProcesses() {
        assertThat(rewritten(POD, asked(of("pid"))))
                .containsExactlyInAnyOrder(
                        at("network", CNI),
                        at("ipc", "/pod/ipc"),
                        at("uts", "/pod/uts"),
                        of("pid"),
                        of("mount"),
                        of("cgroup"));
    }

    @Test
    void sharedProcessesAreThePodsAndNotTheNodes() {
        assertThat(rewritten(POD, asked(ofPid("pid", DAEMON)))).contains(at("pid", "/pod/pid"));
    }

    @Test
    void anotherContainersProcessesAreKept() {
        assertThat(rewritten(POD, asked(ofPid("pid", 8)))).contains(ofPid("pid", 8));
    }

    @Test
    void processesOfAContainerThatHasEndedAreRefusedInWords() {
        assertThatThrownBy(() -> rewritten(POD, asked(ofPid("pid", 9))))
                .isInstanceOf(InvalidArgument.class)
                .hasMessage(
                        "pid namespace /proc/9/ns/pid of container c1 cannot be found (NoSuchFileException): has the container ended that it belongs to?");
    }

    @Test
    void whatThePodSharesWithTheNodeItsContainersShare() {
        assertThat(rewritten(List.of(of("mount")), asked(ofPid("pid", DAEMON))))
                .containsExactly(of("mount"), of("cgroup"));
    }

    @Test
    void aMissingEntryDoesNotLeadToTheNode() {
        assertThat(rewritten(POD, of("mount")))
                .containsExactlyInAnyOrder(
                        at("network", CNI),
                        at("ipc", "/pod/ipc"),
                        at("uts", "/pod/uts"),
                        of("pid"),
                        of("mount"));
    }

    @Test
    void otherNamespacesOfTheNodeAreRefused() {
        for (String type : List.of("mount", "cgroup", "time", "user")) {
            assertThatThrownBy(() -> rewritten(POD, ofPid(type, DAEMON)))
                    .isInstanceOf(InvalidArgument.class)
                    .hasMessageContaining(type + " namespace /proc/7/ns/")
                    .hasMessageContaining("the node's");
        }
    }

    @Test
    void userNamespacesOfPodsAreRefused() {
        assertThatThrownBy(() -> rewritten(List.of(of("user")), of("mount")))
                .isInstanceOf(InvalidArgument.class)
                .hasMessageContaining("hostUsers");
    }

    @Test
    void outsideOfPodsOnlyTheDaemonsNamespacesAreRefused() {
        List<Namespace> asked = List.of(of("pid"), at("network", "/run/netns/x"));

        assertThat(NativeNamespaces.outsideOfPods("c1", asked, HOST)).isEqualTo(asked);
        assertThatThrownBy(() ->
                        NativeNamespaces.outsideOfPods(
                                "c1", List.of(ofPid("network", DAEMON)), HOST))
                .isInstanceOf(InvalidArgument.class);
    }

    /// Whatever a spec says: of the namespaces that the pod has, none that is given is the node's.
    @Test
    void noSpecLeadsToTheNode() {
        var random = new Random(1);
        List<String> types =
                List.of("network", "ipc", "uts", "pid", "mount", "cgroup", "user", "time", "odd");
        for (int run = 0; run < 2_000; run++) {
            List<Namespace> asked = new ArrayList<>();
            for (int i = random.nextInt(12); i > 0; i--) {
                String type = types.get(random.nextInt(types.size()));
                asked.add(
                        switch (random.nextInt(4)) {
                            case 0 -> of(type);
                            case 1 -> ofPid(type, DAEMON);
                            case 2 -> ofPid(type, 8);
                            default -> at(type, "/elsewhere");
                        });
            }
            List<Namespace> given;
            try {
                given = rewritten(POD, asked.toArray(Namespace[]::new));
            } catch (InvalidArgument e) {
                assertThat(e.getMessage()).doesNotContain("\n");
                continue;
            }
            assertThat(given)
                    .filteredOn(namespace ->
                            POD.stream()
                                    .anyMatch(one ->
                                            one.type().equals(namespace.type())
                                                    && !namespace.type().equals("mount")))
                    .extracting(Namespace::type)
                    .containsExactlyInAnyOrder("network", "ipc", "uts", "pid");
            assertThat(given)
                    .noneMatch(namespace ->
                            namespace
                                    .path()
                                    .filter(path -> path.startsWith("/proc/" + DAEMON))
                                    .isPresent());
        }
    }
}
