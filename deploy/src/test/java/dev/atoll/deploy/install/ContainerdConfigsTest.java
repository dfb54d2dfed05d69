package dev.atoll.deploy.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which file gets the runtime, on each kind of host. The files are reduced to what the choice
/// depends on; what containerd makes of the result is a matter of the node tests.
final class ContainerdConfigsTest {
    private static final String V2 = "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\"]\n";
    private static final String V3 = "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\n";
    private static final String K3S = "/var/lib/rancher/k3s/agent/etc/containerd";

    @TempDir private Path root;

    @Test
    void aMainFileGetsTheTableOfItsOwnVersion() throws Exception {
        write("/etc/containerd/config.toml", V2);
        assertThat(plan("/etc/containerd/config.toml", 2))
                .satisfies(change -> {
                    assertThat(change.file()).isEqualTo("/etc/containerd/config.toml");
                    assertThat(change.merged()).isFalse();
                    assertThat(change.after())
                            .contains(
                                    "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.wasmtime]");
                });

        write("/etc/containerd/config.toml", V3.replace("3", "4"));
        assertThat(plan("/etc/containerd/config.toml", 2).after())
                .contains(
                        "[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.wasmtime]");
    }

    @Test
    void anImportedDirectoryGetsAFileWhereContainerdMergesIt() throws Exception {
        write(
                "/etc/containerd/config.toml",
                "imports = [\"/etc/containerd/conf.d/*.toml\"]\n" + V3);

        ConfigChange merged = plan("/etc/containerd/config.toml", 2);
        ConfigChange edited = plan("/etc/containerd/config.toml", 1);

        assertThat(merged.file()).isEqualTo("/etc/containerd/conf.d/atoll.toml");
        assertThat(merged.merged()).isTrue();
        assertThat(merged.before()).isEmpty();
        assertThat(merged.after()).contains("version = 3\n");
        assertThat(edited.file()).isEqualTo("/etc/containerd/config.toml");
    }

    @Test
    void aLinkedMainFileIsChangedWhereItLies() throws Exception {
        write("/etc/cloud/containerd.toml", V2);
        Files.createDirectories(root.resolve("etc/containerd"));
        Files.createSymbolicLink(
                root.resolve("etc/containerd/config.toml"), Path.of("/etc/cloud/containerd.toml"));

        assertThat(plan("/etc/containerd/config.toml", 2).file())
                .isEqualTo("/etc/cloud/containerd.toml");
    }

    @Test
    void aHostWithoutAFileGetsOneInTheVersionOfItsContainerd() throws Exception {
        ConfigChange newer = plan("/etc/containerd/config.toml", 2);
        ConfigChange older = plan("/etc/containerd/config.toml", 1);

        assertThat(newer.before()).isEmpty();
        assertThat(newer.after())
                .contains("version = 3\n")
                .contains("io.containerd.cri.v1.runtime");
        assertThat(older.after()).contains("version = 2\n").contains("io.containerd.grpc.v1.cri");
        assertThat(ContainerdConfigs.without(newer.after(), true)).isEmpty();
    }

    @Test
    void anOlderContainerdKeepsTheRuntimeThatItHasByItself() throws Exception {
        String runc = "containerd.runtimes.runc]";

        write("/etc/containerd/config.toml", V2);
        assertThat(plan("/etc/containerd/config.toml", 1).after()).contains(runc);
        assertThat(plan("/etc/containerd/config.toml", 2).after()).doesNotContain(runc);

        String own = "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.crun]\n";
        write("/etc/containerd/config.toml", V2 + own);
        assertThat(plan("/etc/containerd/config.toml", 1).after()).doesNotContain(runc);
    }

    @Test
    void k3sGetsATemplateThatExtendsItsOwn() throws Exception {
        write(K3S + "/config.toml", V3);

        ConfigChange change = plan(K3S + "/config.toml", 2);

        assertThat(change.file()).isEqualTo(K3S + "/config-v3.toml.tmpl");
        assertThat(change.merged()).isTrue();
        assertThat(change.after()).startsWith("{{ template \"base\" . }}\n");
        assertThat(ContainerdConfigs.without(change.after(), true)).isEmpty();
    }

    @Test
    void aTemplateOfTheUserKeepsAllThatItHas() throws Exception {
        String own = "{{ template \"base\" . }}\n[debug]\n  level = \"debug\"\n";
        write(K3S + "/config.toml", V2);
        write(K3S + "/config.toml.tmpl", own);

        ConfigChange change = plan(K3S + "/config.toml", 1);

        assertThat(change.file()).isEqualTo(K3S + "/config.toml.tmpl");
        assertThat(change.after()).startsWith(own);
        assertThat(ContainerdConfigs.without(change.after(), false)).contains(own);
    }

    @Test
    void aNewerK3sOrRke2ImportsADirectory() throws Exception {
        String directory = "/var/lib/rancher/rke2/agent/etc/containerd";
        write(
                directory + "/config.toml",
                "imports = [\"%s/config-v3.toml.d/*.toml\"]\n%s".formatted(directory, V3));

        assertThat(plan(directory + "/config.toml", 2).file())
                .isEqualTo(directory + "/config-v3.toml.d/atoll.toml");
    }

    @Test
    void k0sGetsAFileInTheDirectoryThatItImports() throws Exception {
        write("/etc/k0s/containerd.toml", "# k0s_managed=true\n" + V2);

        ConfigChange change = plan("/etc/k0s/containerd.toml", 1);

        assertThat(change.file()).isEqualTo("/etc/k0s/containerd.d/atoll.toml");
        assertThat(change.after()).contains("version = 2\n");
    }

    @Test
    void microk8sGetsABlockInItsTemplate() throws Exception {
        String directory = "/var/snap/microk8s/current/args";
        String template = "version = 2\noom_score = 0\n[debug]\n  address = \"${SNAP_COMMON}/x\"\n";
        write(directory + "/containerd.toml", V2);
        write(directory + "/containerd-template.toml", template);

        ConfigChange change = plan(directory + "/containerd.toml", 1);

        assertThat(change.file()).isEqualTo(directory + "/containerd-template.toml");
        assertThat(change.merged()).isTrue();
        assertThat(ContainerdConfigs.without(change.after(), false)).contains(template);
    }

    @Test
    void aFileOfThatNameFromSomebodyElseIsNotWrittenOver() throws Exception {
        write(
                "/etc/containerd/config.toml",
                "imports = [\"/etc/containerd/conf.d/*.toml\"]\n" + V3);
        write("/etc/containerd/conf.d/atoll.toml", "version = 3\n");

        assertThatThrownBy(() -> plan("/etc/containerd/config.toml", 2))
                .isInstanceOf(InstallFailed.class)
                .hasMessageContaining("was not written by Atoll");
    }

    private ConfigChange plan(String config, int major) throws InstallFailed {
        HostCommands none =
                (_, words) -> {
                    throw new InstallFailed("no programs here: " + words);
                };
        RunningContainerd containerd =
                new RunningContainerd(
                        1,
                        "/usr/bin/containerd",
                        config,
                        "/run/c.sock",
                        List.of(),
                        Optional.empty());
        return new ContainerdConfigs(new Host(root, none))
                .plan(containerd, major, List.of("wasmtime"), "io.containerd.wasmtime.v1");
    }

    private void write(String hostPath, String text) throws IOException {
        Path file = root.resolve(hostPath.substring(1));
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
