package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Guests that attack the node's files, their neighbours' and the daemon's descriptors: each harms
/// itself alone.
@OneNode
class FilesystemAttacksE2E {
    private static final String SECRET = "of the node";

    private final TestNode on;
    private final String onNode = "/var/lib/atoll/attack-" + UUID.randomUUID();
    private final String outside = "/var/lib/atoll/outside-" + UUID.randomUUID();

    FilesystemAttacksE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void prepare() throws IOException {
        assumeFalse(TestNode.isNative(), "these are Atoll's bounds");
        Files.createDirectories(on.node().path(onNode));
        Files.writeString(Files.createDirectories(on.node().path(outside)).resolve("file"), SECRET);
    }

    private String attempt(Pod pod, String guest, String... words) {
        PodContainer container = pod.start(on.guestOf(guest, words).mount(onNode, "/data", false));
        assertThat(container.awaitExit().getExitCode()).isZero();
        return container.log().output();
    }

    /// A pod that reads and writes a volume as pods do.
    private void anotherPodWorks() throws IOException {
        String volume = "/var/lib/atoll/other-" + UUID.randomUUID();
        Files.createDirectories(on.node().path(volume));
        try (Pod other = on.pod()) {
            PodContainer container =
                    other.start(on.guest("write", "/data/made", "x").mount(volume, "/data", false));
            assertThat(container.awaitExit().getExitCode()).isZero();
            assertThat(on.node().path(volume).resolve("made")).hasContent("x");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void linksDotsAndProcLeadNowhere(String guest) throws IOException {
        try (Pod pod = on.pod()) {
            String said =
                    attempt(
                            pod,
                            guest,
                            "try",
                            "symlink,%s,/data/absolute".formatted(outside),
                            "symlink,../../../../../../..%s,/data/dots".formatted(outside),
                            "symlink,/proc/self/root,/data/proc",
                            "symlink,/etc/shadow,/data/shadow",
                            "read,/data/absolute/file",
                            "read,/data/dots/file",
                            "read,/data/proc%s/file".formatted(outside),
                            "read,/data/shadow",
                            "read,%s/file".formatted(outside),
                            "read,/data/../../..%s/file".formatted(outside),
                            "create,/data/absolute/made",
                            "create,/data/dots/made",
                            "unlink,/data/absolute/file",
                            "rename,/data/dots/file,/data/stolen",
                            "link,/data/absolute/file,/data/stolen",
                            "count,/data/absolute",
                            "read,/proc/self/environ",
                            "read,/proc/1/root/etc/shadow",
                            "read,/dev/mem",
                            "read,/dev/kmsg",
                            "count,/sys",
                            "count,/run/atoll",
                            "count,/var/lib/containerd");

            assertThat(said.lines())
                    .filteredOn(line -> !line.startsWith("symlink"))
                    .allMatch(line -> line.contains("error"));
            assertThat(on.node().path(outside)).isDirectoryContaining("glob:**/file");
            assertThat(on.node().path(outside).resolve("file")).hasContent(SECRET);
        }
        anotherPodWorks();
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aLinkSwappedInByANeighbourLeadsNowhere(String guest) throws IOException {
        try (Pod first = on.pod();
                Pod second = on.pod()) {
            PodContainer swapping =
                    first.start(
                            on.guestOf(
                                            guest,
                                            "swap",
                                            "/data/place",
                                            "../../../../../.." + outside,
                                            "file")
                                    .mount(onNode, "/data", false));
            swapping.awaitOutput("swapping");

            assertThat(attempt(second, guest, "chase", "/data/place/file", "2000"))
                    .contains(" other 0 ");
            assertThat(swapping.log().output()).isEqualTo("swapping\n");
        }
        assertThat(on.node().path(outside).resolve("file")).hasContent(SECRET);
    }

    @Test
    void anotherPodsVolumeCannotBeNamed() throws IOException {
        Path own = on.node().path(onNode);
        String theirs = "/var/lib/atoll/theirs-" + UUID.randomUUID();
        Files.writeString(
                Files.createDirectories(on.node().path(theirs)).resolve("file"), "of another pod");
        try (Pod victim = on.pod();
                Pod attacker = on.pod()) {
            victim.start(
                    on.guest("hold", "/secrets/file", "1")
                            .with(config -> config.setStdin(true))
                            .mount(theirs, "/secrets", true));
            String said =
                    attempt(
                            attacker,
                            "guest.p1.wasm",
                            "try",
                            "read,/secrets/file",
                            "read,%s/file".formatted(theirs),
                            "read,/data/../secrets/file");

            assertThat(said.lines()).allMatch(line -> line.contains("error"));
            assertThat(own).isEmptyDirectory();
        }
    }

    /// Far fewer than the daemon may have, which its neighbours need.
    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void aGuestThatOpensAllItCanStopsAtItsOwnLimit(String guest) throws IOException {
        Files.writeString(on.node().path(onNode).resolve("file"), "x");
        try (Pod pod = on.pod()) {
            PodContainer holding =
                    pod.start(
                            on.guestOf(guest, "hold", "/data/file", "1000")
                                    .with(config -> config.setStdin(true))
                                    .mount(onNode, "/data", false));
            holding.awaitOutput("holding 1000");

            assertThat(attempt(pod, guest, "open-many", "/data/file", "100000"))
                    .startsWith("1024 open, then error")
                    .endsWith("open again\n");
            anotherPodWorks();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"guest.p1.wasm", "guest.p2.wasm"})
    void deepTreesAndFullDevicesFailByThemselves(String guest) throws IOException {
        try (Pod pod = on.pod()) {
            assertThat(attempt(pod, guest, "deep", "/data")).contains("deep, then error 37");
            // wasi-libc knows every error of a stream of WASI 0.2 as an I/O error.
            int full = guest.equals("guest.p1.wasm") ? 51 : 29;
            assertThat(attempt(pod, guest, "try", "append,/dev/full")).contains("error " + full);
        }
        anotherPodWorks();
    }
}
