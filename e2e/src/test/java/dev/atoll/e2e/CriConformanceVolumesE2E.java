package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/// What CRI promises about volumes, beside what `VolumesE2E` shows of files inside them.
@EveryNode
class CriConformanceVolumesE2E {
    private final TestNode on;
    private final String onNode = "/var/lib/atoll/conformance-" + UUID.randomUUID();

    CriConformanceVolumesE2E(TestNode on) {
        this.on = on;
    }

    private Path fresh() throws IOException {
        Path directory = Files.createDirectories(on.node().path(onNode + "/real"));
        Files.writeString(directory.resolve("given"), "from the node\n");
        return directory;
    }

    private static String outputOf(PodContainer container) {
        container.awaitExit();
        return container.log().output() + container.log().errors();
    }

    @Test
    void aPathOfTheNodeMayBeALink() throws IOException {
        Path real = fresh();
        Files.createSymbolicLink(real.resolveSibling("link"), Path.of(onNode + "/real"));
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(
                            on.toolbox("/bin/sh", "-c", "cat /data/given; echo made >/data/made")
                                    .mount(onNode + "/link", "/data", false));

            assertThat(outputOf(container)).isEqualTo("from the node\n");
            assertThat(real.resolve("made")).hasContent("made");
        }
    }

    @Test
    void volumesOfSeveralContainersAreTheSame() throws IOException {
        fresh();
        try (Pod pod = on.pod()) {
            PodContainer writer =
                    pod.start(
                            on.toolbox("/bin/sh", "-c", "echo first >>/a/shared")
                                    .mount(onNode + "/real", "/a", false));
            assertThat(outputOf(writer)).isEmpty();
            PodContainer reader =
                    pod.start(
                            on.toolbox("/bin/cat", "/b/c/shared")
                                    .mount(onNode + "/real", "/b/c", true));

            assertThat(outputOf(reader)).isEqualTo("first\n");
        }
    }

    @Test
    void aReadOnlyRootLeavesWritableVolumesWritable() throws IOException {
        Path real = fresh();
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(
                            on.toolbox("/bin/sh", "-c", "touch /data/made; touch /made")
                                    .mount(onNode + "/real", "/data", false)
                                    .with(config -> {
                                        config.getLinuxBuilder()
                                                .getSecurityContextBuilder()
                                                .setReadonlyRootfs(true);
                                        return config;
                                    }));

            assertThat(outputOf(container)).startsWith("touch: /made: ");
            assertThat(real.resolve("made")).exists();
        }
    }

    @Test
    void whatAContainerWritesIntoItsRootIsItsOwn() {
        try (Pod pod = on.pod()) {
            PodContainer first = pod.start(on.toolbox("/bin/sh", "-c", "echo mine >/mine; ls /"));
            assertThat(outputOf(first)).contains("mine");
            PodContainer second = pod.start(on.toolbox("/bin/ls", "/"));

            assertThat(outputOf(second)).doesNotContain("mine");
        }
    }
}
