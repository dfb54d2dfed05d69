package dev.atoll.sandbox.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.MountSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.engine.ViewRequest;
import dev.atoll.sandbox.engine.ViewRequest.ViewMount;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FilesystemViewTest {
    private static final Path BUNDLE = Path.of("/run/bundle");

    private static RuntimeSpec spec(String root, boolean readonly, List<MountSpec> mounts) {
        return new RuntimeSpec(
                "1.1.0",
                Optional.empty(),
                new RuntimeSpec.Root(root, readonly),
                Optional.empty(),
                mounts,
                Map.of(),
                new RuntimeSpec.LinuxSpec(List.of(), RuntimeSpec.Resources.NONE, Optional.empty()));
    }

    private static ViewRequest view(MountSpec... mounts) {
        return FilesystemView.of(BUNDLE, List.of(), spec("rootfs", false, List.of(mounts)));
    }

    private static MountSpec mount(
            String destination, String type, String source, String... options) {
        return new MountSpec(destination, type, source, List.of(options));
    }

    @Test
    void aRelativeRootStartsAtTheBundle() {
        assertThat(view().rootDirectory()).isEqualTo("/run/bundle/rootfs");
    }

    @Test
    void anAbsoluteRootIsTakenAsItIs() {
        assertThat(FilesystemView.of(BUNDLE, List.of(), spec("/r", false, List.of())))
                .isEqualTo(new ViewRequest(List.of(), "/r", false, List.of()));
    }

    @Test
    void aReadOnlyRootStaysReadOnly() {
        assertThat(FilesystemView.of(BUNDLE, List.of(), spec("r", true, List.of())).readonly())
                .isTrue();
    }

    @Test
    void rootfsMountsAreHandedOnAsTheyCome() {
        RootfsMount overlay =
                new RootfsMount("overlay", "overlay", "", List.of("lowerdir=/a:/b", "ro"));

        assertThat(
                        FilesystemView.of(BUNDLE, List.of(overlay), spec("r", false, List.of()))
                                .rootfs())
                .containsExactly(overlay);
    }

    @ParameterizedTest
    @ValueSource(strings = {"fuse3.fuse-overlayfs", "mkfs/ext4", "format/erofs", "nfs"})
    void aRootfsOfAnUnknownTypeIsRefused(String type) {
        RootfsMount mount = new RootfsMount(type, "x", "", List.of());

        assertThatThrownBy(() ->
                        FilesystemView.of(BUNDLE, List.of(mount), spec("r", false, List.of())))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("\"" + type + "\" is not supported");
    }

    static Stream<MountSpec> leftOut() {
        return Stream.of(
                mount("/proc", "proc", "proc", "nosuid"),
                mount("/sys", "sysfs", "sysfs", "ro"),
                mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro"),
                mount("/sys/fs/cgroup", "cgroup2", "cgroup", "ro"),
                mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666"),
                mount("/dev/mqueue", "mqueue", "mqueue"),
                mount("/dev", "tmpfs", "tmpfs", "mode=755", "size=65536k"),
                mount("/dev/", "tmpfs", "tmpfs", "mode=755"));
    }

    @ParameterizedTest
    @MethodSource("leftOut")
    void whatShowsTheKernelIsLeftOut(MountSpec mount) {
        assertThat(view(mount).mounts()).isEmpty();
    }

    static Stream<Arguments> given() {
        return Stream.of(
                Arguments.of(
                        mount("/etc/hosts", "bind", "/k/etc-hosts", "rbind", "rprivate", "rw"),
                        ViewMount.bind("/etc/hosts", "/k/etc-hosts", false, true)),
                Arguments.of(
                        mount("/etc/resolv.conf", "bind", "/c/resolv", "rbind", "rprivate", "ro"),
                        ViewMount.bind("/etc/resolv.conf", "/c/resolv", true, true)),
                Arguments.of(
                        mount("/etc/hostname", "bind", "/c/hostname", "rbind", "rprivate", "rw"),
                        ViewMount.bind("/etc/hostname", "/c/hostname", false, true)),
                Arguments.of(
                        mount("/dev/termination-log", "bind", "/k/log", "rbind", "rw"),
                        ViewMount.bind("/dev/termination-log", "/k/log", false, true)),
                Arguments.of(
                        mount("/dev/shm", "bind", "/c/shm", "rbind", "rprivate", "rw"),
                        ViewMount.bind("/dev/shm", "/c/shm", false, true)),
                Arguments.of(
                        mount("/dev/shm", "tmpfs", "shm", "nosuid", "mode=1777", "size=65536k"),
                        ViewMount.tmpfs("/dev/shm", false, List.of("mode=1777", "size=65536k"))),
                Arguments.of(
                        mount("/run", "tmpfs", "tmpfs", "ro", "size=64k"),
                        ViewMount.tmpfs("/run", true, List.of("size=64k"))),
                Arguments.of(
                        mount("/a", "bind", "/h", "bind", "ro", "rw"),
                        ViewMount.bind("/a", "/h", false, false)),
                Arguments.of(
                        mount("/a", "bind", "/h", "rw", "rro"), ViewMount.readonlyTree("/a", "/h")),
                Arguments.of(
                        mount("/a", "bind", "/h", "rbind", "ro"),
                        ViewMount.bind("/a", "/h", true, true)),
                Arguments.of(
                        mount("/a", "bind", "/h", "rro", "rw"),
                        ViewMount.bind("/a", "/h", false, true)),
                Arguments.of(
                        mount("/a", "", "/h", "rbind"), ViewMount.bind("/a", "/h", false, true)),
                Arguments.of(
                        mount("/a", "none", "/h", "bind"),
                        ViewMount.bind("/a", "/h", false, false)),
                Arguments.of(
                        mount("/a", "bind", "files/x"),
                        ViewMount.bind("/a", "/run/bundle/files/x", false, false)),
                Arguments.of(
                        mount("a/../../b", "bind", "/h"),
                        ViewMount.bind("/b", "/h", false, false)));
    }

    @ParameterizedTest
    @MethodSource("given")
    void volumesAndKubeletsFilesAreGiven(MountSpec mount, ViewMount expected) {
        assertThat(view(mount).mounts()).containsExactly(expected);
    }

    @Test
    void mountsKeepTheirOrder() {
        assertThat(view(mount("/b", "bind", "/1"), mount("/a", "bind", "/2")).mounts())
                .extracting(ViewMount::destination)
                .containsExactly("/b", "/a");
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of(mount("/a", "nfs", "host:/x"), "mount type \"nfs\" of /a"),
                Arguments.of(mount("/a", "overlay", "overlay"), "mount type \"overlay\" of /a"),
                Arguments.of(mount("/a", "", "/x"), "mount type \"\" of /a"),
                Arguments.of(mount("/a", "bind", "/x", "ridmap"), "mount option \"ridmap\" of /a"),
                Arguments.of(mount("/a", "bind", "/x", "size=1k"), "is for a tmpfs"),
                Arguments.of(mount("/a", "bind", ""), "source of mount /a is empty"),
                Arguments.of(mount("", "bind", "/x"), "has no destination"),
                Arguments.of(mount("/x/..", "bind", "/x"), "a mount at / would hide"),
                Arguments.of(mount("/dev", "bind", "/dev"), "a volume at /dev is not supported"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatCannotBeGivenIsRefusedInWords(MountSpec mount, String words) {
        assertThatThrownBy(() -> view(mount))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining(words);
    }
}
