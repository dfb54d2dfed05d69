package dev.atoll.deploy.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HostTest {
    @TempDir private Path root;

    @Test
    void linksAreFollowedAsTheHostFollowsThem() throws Exception {
        Files.createDirectories(root.resolve("usr/bin"));
        Files.createSymbolicLink(root.resolve("bin"), Path.of("/usr/bin"));
        Files.createSymbolicLink(root.resolve("usr/bin/a"), Path.of("../../etc/a"));

        assertThat(host().resolved("/bin/x")).isEqualTo("/usr/bin/x");
        assertThat(host().resolved("/bin/a")).isEqualTo("/etc/a");
        assertThat(host().path("/bin/a")).isEqualTo(root.resolve("usr/bin/a"));
    }

    @Test
    void noLinkLeadsOutOfTheRoot() throws Exception {
        Files.createSymbolicLink(root.resolve("up"), Path.of("../../../../etc"));

        assertThat(host().resolved("/up/passwd")).isEqualTo("/etc/passwd");
        assertThat(host().path(host().resolved("/up/passwd")))
                .isEqualTo(root.resolve("etc/passwd"));
    }

    @Test
    void aLoopOfLinksIsRefused() throws IOException {
        Files.createSymbolicLink(root.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(root.resolve("b"), Path.of("a"));

        assertThatThrownBy(() -> host().resolved("/a/x"))
                .isInstanceOf(InstallFailed.class)
                .hasMessageContaining("too many symbolic links");
    }

    @Test
    void aSettingOfTheKernelIsReadWhole() throws Exception {
        Path setting = Path.of("/proc/sys/vm/max_map_count");

        assertThat(Host.at(Path.of("/")).read(setting.toString()).orElseThrow().lines().toList())
                .isEqualTo(Files.readAllLines(setting));
    }

    private Host host() {
        return new Host(
                root,
                (_, words) -> {
                    throw new InstallFailed("no programs here: " + words);
                });
    }
}
