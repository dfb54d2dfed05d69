package dev.atoll.deploy.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContainerdFinderTest {
    @TempDir private Path root;

    @Test
    void aProcessTellsItsConfigurationSocketPathAndService() throws Exception {
        process(
                12,
                "/var/lib/rancher/k3s/data/abc/bin/containerd",
                "0::/system.slice/k3s.service\n",
                "PATH=/var/lib/rancher/k3s/data/abc/bin:/usr/bin",
                "containerd",
                "-c",
                "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
                "-a=/run/k3s/containerd/containerd.sock");

        RunningContainerd found = find(Optional.empty());

        assertThat(found.pid()).isEqualTo(12);
        assertThat(found.binary()).isEqualTo("/var/lib/rancher/k3s/data/abc/bin/containerd");
        assertThat(found.config())
                .isEqualTo("/var/lib/rancher/k3s/agent/etc/containerd/config.toml");
        assertThat(found.socket()).isEqualTo("/run/k3s/containerd/containerd.sock");
        assertThat(found.path()).containsExactly("/var/lib/rancher/k3s/data/abc/bin", "/usr/bin");
        assertThat(found.unit()).contains("k3s.service");
    }

    @Test
    void whatAProcessDoesNotTellIsContainerdsDefault() throws Exception {
        process(
                7,
                "/usr/bin/containerd (deleted)",
                "1:name=systemd:/\n0::/\n",
                "A=b",
                "containerd");

        RunningContainerd found = find(Optional.empty());

        assertThat(found.binary()).isEqualTo("/usr/bin/containerd");
        assertThat(found.config()).isEqualTo("/etc/containerd/config.toml");
        assertThat(found.socket()).isEqualTo("/run/containerd/containerd.sock");
        assertThat(found.path()).contains("/usr/local/bin", "/usr/bin");
        assertThat(found.unit()).isEmpty();
    }

    @Test
    void ofSeveralOneMustBeNamed() throws Exception {
        process(3, "/usr/bin/containerd", "0::/\n", "A=b", "containerd");
        process(
                4,
                "/usr/bin/containerd",
                "0::/\n",
                "A=b",
                "containerd",
                "--address",
                "/run/other.sock");
        process(
                5,
                "/usr/bin/containerd",
                "0::/\n",
                "A=b",
                "containerd",
                "--address",
                "x",
                "publish");

        assertThat(find(Optional.of("/run/other.sock")).pid()).isEqualTo(4);
        assertThatThrownBy(() -> find(Optional.empty()))
                .isInstanceOf(InstallFailed.class)
                .hasMessageContaining("--containerd")
                .hasMessageContaining("/run/other.sock");
        assertThatThrownBy(() -> find(Optional.of("/run/none.sock")))
                .isInstanceOf(InstallFailed.class)
                .hasMessageContaining("no containerd listens on /run/none.sock");
    }

    @Test
    void aHostWithoutContainerdIsTold() throws IOException {
        Files.createDirectories(root.resolve("proc"));

        assertThatThrownBy(() -> find(Optional.empty()))
                .isInstanceOf(InstallFailed.class)
                .hasMessageContaining("no process containerd runs");
    }

    @Test
    void theServiceOfANestedCgroupIsTheInnermost() {
        assertThat(
                        ContainerdFinder.unit(
                                "0::/system.slice/docker.service/kind/system.slice/containerd.service\n"))
                .contains("containerd.service");
    }

    private RunningContainerd find(Optional<String> socket) throws InstallFailed {
        return new ContainerdFinder(
                        new Host(
                                root,
                                (_, words) -> {
                                    throw new InstallFailed("no programs here: " + words);
                                }))
                .find(socket);
    }

    private void process(
            int pid, String program, String cgroup, String environment, String... words)
            throws IOException {
        Path directory =
                Files.createDirectories(root.resolve("proc").resolve(Integer.toString(pid)));
        Files.createSymbolicLink(directory.resolve("exe"), Path.of(program));
        Files.writeString(directory.resolve("cgroup"), cgroup);
        Files.writeString(directory.resolve("environ"), environment + "\0");
        Files.writeString(directory.resolve("cmdline"), String.join("\0", words) + "\0");
    }
}
