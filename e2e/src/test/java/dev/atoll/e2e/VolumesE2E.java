package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Directories and files of the node inside containers.
@EveryNode
class VolumesE2E {
    private final TestNode on;
    private final String onNode = "/var/lib/atoll/volume-" + UUID.randomUUID();

    VolumesE2E(TestNode on) {
        this.on = on;
    }

    private Path fresh() throws IOException {
        return Files.createDirectories(on.node().path(onNode));
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aDirectoryIsReadAndWritten(String guest) throws IOException {
        Path volume = fresh();
        Files.writeString(volume.resolve("given"), "from the node\n");
        try (Pod pod = on.pod()) {
            PodContainer writer =
                    pod.start(
                            on.guestOf(guest, "write", "/data/made", "from the guest\n")
                                    .mount(onNode, "/data", false));
            assertThat(writer.awaitExit().getExitCode()).isZero();
            PodContainer reader =
                    pod.start(
                            on.guestOf(guest, "read", "/data/given", "/data/made")
                                    .mount(onNode, "/data", true));
            reader.awaitExit();

            assertThat(Files.readString(volume.resolve("made"))).isEqualTo("from the guest\n");
            assertThat(reader.log().output()).isEqualTo("from the node\nfrom the guest\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aReadOnlyDirectoryCannotBeChanged(String guest) throws IOException {
        Path volume = fresh();
        Files.writeString(volume.resolve("given"), "kept");
        try (Pod pod = on.pod()) {
            PodContainer create =
                    pod.start(
                            on.guestOf(guest, "write", "/data/made", "x")
                                    .mount(onNode, "/data", true));
            PodContainer change =
                    pod.start(
                            on.guestOf(guest, "append", "/data/given", "x")
                                    .mount(onNode, "/data", true));
            PodContainer remove =
                    pod.start(
                            on.guestOf(guest, "remove", "/data/given")
                                    .mount(onNode, "/data", true));

            assertThat(create.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(change.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(remove.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(volume.resolve("made")).doesNotExist();
            assertThat(Files.readString(volume.resolve("given"))).isEqualTo("kept");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aSingleFileIsMounted(String guest) throws IOException {
        Path volume = fresh();
        Files.writeString(volume.resolve("readable"), "settings\n");
        Files.writeString(volume.resolve("writable"), "before\n");
        try (Pod pod = on.pod()) {
            PodContainer reader =
                    pod.start(
                            on.guestOf(guest, "read", "/etc/app/settings")
                                    .mount(onNode + "/readable", "/etc/app/settings", true));
            PodContainer writer =
                    pod.start(
                            on.guestOf(guest, "append", "/state", "after\n")
                                    .mount(onNode + "/writable", "/state", false));
            PodContainer refused =
                    pod.start(
                            on.guestOf(guest, "append", "/state", "never\n")
                                    .mount(onNode + "/writable", "/state", true));
            reader.awaitExit();

            assertThat(reader.log().output()).isEqualTo("settings\n");
            assertThat(writer.awaitExit().getExitCode()).isZero();
            assertThat(refused.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(Files.readString(volume.resolve("writable"))).isEqualTo("before\nafter\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aConfigMapsLinksAreFollowedAndItsUpdateIsSeen(String guest) throws IOException {
        Path volume = fresh();
        // As a kubelet lays a ConfigMap out: files are links through ..data, which is swapped to
        // update all at once.
        Path first = Files.createDirectory(volume.resolve("..2026_01"));
        Files.writeString(first.resolve("key"), "old\n");
        Files.createSymbolicLink(volume.resolve("..data"), Path.of("..2026_01"));
        Files.createSymbolicLink(volume.resolve("key"), Path.of("..data/key"));
        try (Pod pod = on.pod()) {
            PodContainer before =
                    pod.start(
                            on.guestOf(guest, "read", "/config/key")
                                    .mount(onNode, "/config", true));
            before.awaitExit();
            PodContainer after =
                    pod.create(
                            on.guestOf(guest, "read", "/config/key")
                                    .mount(onNode, "/config", true));
            Path second = Files.createDirectory(volume.resolve("..2026_02"));
            Files.writeString(second.resolve("key"), "new\n");
            Files.createSymbolicLink(volume.resolve("..next"), Path.of("..2026_02"));
            Files.move(
                    volume.resolve("..next"),
                    volume.resolve("..data"),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            after.start().awaitExit();

            assertThat(before.log().output()).isEqualTo("old\n");
            assertThat(after.log().output()).isEqualTo("new\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void nothingOfTheNodeIsSeenBesideWhatIsMounted(String guest) throws IOException {
        Node node = on.node();
        Path secret = node.path("/etc/atoll/secret-" + UUID.randomUUID());
        Files.writeString(secret, "of the node");
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guestOf(guest, "read", "/etc/atoll/" + secret.getFileName()));

            assertThat(container.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(container.log().output()).isEmpty();
        } finally {
            Files.delete(secret);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aPathThatLeadsOutOfAVolumeByALinkStaysInTheContainer(String guest) throws IOException {
        Path volume = fresh();
        Files.createSymbolicLink(volume.resolve("out"), Path.of("/var/lib/containerd"));
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guestOf(guest, "list", "/data/out").mount(onNode, "/data", false));

            assertThat(container.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(container.log().output()).isEmpty();
        }
    }
}
