package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.Device;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// As whom containers work on files, and what of a securityContext is refused. All but the refusals
/// hold for native containers, too.
@EveryNode
class IdentityE2E {
    private final TestNode on;
    private final String onNode = "/var/lib/atoll/identity-" + UUID.randomUUID();

    IdentityE2E(TestNode on) {
        this.on = on;
    }

    private Path volume(int owner, int group, String permissions) throws IOException {
        Path volume = Files.createDirectories(on.node().path(onNode));
        own(volume, owner, group, permissions);
        return volume;
    }

    private static void own(Path file, int owner, int group, String permissions)
            throws IOException {
        Files.setAttribute(file, "unix:uid", owner);
        Files.setAttribute(file, "unix:gid", group);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    }

    private static String owner(Path file) throws IOException {
        return "%s:%s"
                .formatted(
                        Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS),
                        Files.getAttribute(file, "unix:gid", LinkOption.NOFOLLOW_LINKS));
    }

    private String attempt(Pod pod, ContainerRequest request) {
        PodContainer container = pod.start(request.mount(onNode, "/data", false));
        assertThat(container.awaitExit().getExitCode()).isZero();
        return container.log().output();
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void filesAreMadeAsTheUserAndClosedToIt(String guest) throws IOException {
        Path volume = volume(1000, 1000, "rwx------");
        own(Files.writeString(volume.resolve("secret"), "x"), 0, 0, "rw-------");
        try (Pod pod = on.pod()) {
            String[] operations = {
                "try", "create,/data/made", "read,/data/secret", "mkdir,/data/in"
            };

            String own = attempt(pod, on.guestOf(guest, operations).user(1000, 1001));
            String other =
                    attempt(
                            pod,
                            on.guestOf(guest, "try", "create,/data/x", "count,/data")
                                    .user(1001, 1001));

            assertThat(own)
                    .contains("create,/data/made: ok")
                    .contains("read,/data/secret: error")
                    .contains("mkdir,/data/in: ok");
            assertThat(other).contains("create,/data/x: error").contains("count,/data: error");
            assertThat(owner(volume.resolve("made"))).isEqualTo("1000:1001");
            assertThat(Files.getPosixFilePermissions(volume.resolve("made")))
                    .isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
            assertThat(owner(volume.resolve("in"))).isEqualTo("1000:1001");
            assertThat(volume.resolve("x")).doesNotExist();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void fsGroupOpensAVolumeAndOwnsWhatIsMadeThere(String guest) throws IOException {
        // As kubelet leaves a volume for fsGroup: group, its rights, and the setgid bit.
        Path volume = volume(0, 2000, "rwxrwx---");
        Files.setAttribute(volume, "unix:mode", 0042770);
        try (Pod pod = on.pod()) {
            String with =
                    attempt(
                            pod,
                            on.guestOf(guest, "try", "create,/data/made").user(1000, 1000, 2000L));
            String without =
                    attempt(pod, on.guestOf(guest, "try", "create,/data/not").user(1000, 1000));

            assertThat(with).contains(": ok");
            assertThat(without).contains(": error");
            assertThat(owner(volume.resolve("made"))).isEqualTo("1000:2000");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void rootReadsEverythingUnlessItsCapabilitiesAreDropped(String guest) throws IOException {
        Path volume = volume(0, 0, "rwxr-xr-x");
        own(Files.writeString(volume.resolve("private"), "x"), 1000, 1000, "rw-------");
        try (Pod pod = on.pod()) {
            ContainerRequest root = on.guestOf(guest, "try", "read,/data/private");

            assertThat(attempt(pod, root)).isEqualTo("read,/data/private: x\n");
            assertThat(
                            attempt(
                                    pod,
                                    root.security(context ->
                                            context.getCapabilitiesBuilder()
                                                    .addDropCapabilities("ALL"))))
                    .contains("error");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aReadOnlyRootRefusesEveryChangeButVolumesDoNot(String guest) throws IOException {
        volume(0, 0, "rwxr-xr-x");
        try (Pod pod = on.pod()) {
            String said =
                    attempt(
                            pod,
                            on.guestOf(
                                            guest,
                                            "try",
                                            "create,/made",
                                            "mkdir,/made",
                                            "symlink,x,/made",
                                            "unlink,/etc/hosts",
                                            "create,/data/made",
                                            "rename,/data/made,/made",
                                            "link,/data/made,/made")
                                    .security(context -> context.setReadonlyRootfs(true)));

            assertThat(said.lines())
                    .filteredOn(line -> !line.startsWith("create,/data"))
                    .allMatch(line -> line.contains("error"));
            assertThat(said).contains("create,/data/made: ok");
        }
    }

    @Test
    void aPrivilegedContainerIsRefused() {
        assumeFalse(TestNode.isNative(), "these are Atoll's refusals");
        try (Pod pod = on.pod(TestNode.request().privileged())) {
            assertThat(Refusal.of(pod, on.guest().security(context -> context.setPrivileged(true))))
                    .contains("cannot be privileged");
        }
    }

    @Test
    void devicesAreRefused() {
        assumeFalse(TestNode.isNative(), "these are Atoll's refusals");
        ContainerRequest request =
                on.guest()
                        .with(config ->
                                config.addDevices(
                                        Device.newBuilder()
                                                .setHostPath("/dev/null")
                                                .setContainerPath("/dev/xnull")
                                                .setPermissions("rwm")));

        assertThat(Refusal.of(on, request)).contains("asks for /dev/xnull");
    }

    @Test
    void theNodesProcessesAreRefused() {
        assumeFalse(TestNode.isNative(), "these are Atoll's refusals");
        try (Pod pod = on.pod(TestNode.request().hostProcesses())) {
            assertThat(Refusal.of(pod, on.guest())).contains("hostPID: true");
        }
    }
}
