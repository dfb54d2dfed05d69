package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerLog;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What CRI promises about logs: lines with a time, a stream and a tag.
@EveryNode
class CriConformanceLogsE2E {
    /// Where containerd cuts a line into entries.
    private static final int LONGEST_ENTRY = 16 << 10;

    private final TestNode on;

    CriConformanceLogsE2E(TestNode on) {
        this.on = on;
    }

    @Test
    void eachLineHasATimeItsStreamAndATag() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.toolbox("/bin/sh", "-c", "echo out; echo err >&2; printf end"));
            container.awaitExit();

            String time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+(Z|[+-]\\d\\d:\\d\\d)";
            assertThat(container.log().text().lines())
                    .hasSize(3)
                    .anyMatch(line -> line.matches(time + " stdout F out"))
                    .anyMatch(line -> line.matches(time + " stderr F err"))
                    .anyMatch(line -> line.matches(time + " stdout [PF] end"));
        }
    }

    @Test
    void aLongLineIsWholeAgainWhenItsPartsAreJoined() {
        int size = 5 * LONGEST_ENTRY + 7;
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(
                            on.toolbox("/bin/sh", "-c", "printf '%s\\n' \"$TEXT\"")
                                    .env("TEXT", "x".repeat(size)));
            container.awaitExit();

            ContainerLog log = container.log();

            assertThat(log.text()).contains(" stdout P ").contains(" stdout F ");
            assertThat(log.output()).isEqualTo("x".repeat(size) + "\n");
        }
    }

    @Test
    void aLogThatWasRenamedIsBegunAgain() throws IOException {
        Node node = on.node();
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("tick", "20")).awaitOutput("tick 3");
            Path current = node.path(container.status().getLogPath());
            Path old = Path.of(current + ".old");
            Files.move(current, old);

            container.reopenLog();

            assertThat(current).exists();
            container.awaitLog(log -> log.output().lines().count() > 3);
            container.stop(0);
            List<String> all =
                    new ContainerLog(Files.readString(old) + container.log().text())
                            .output()
                            .lines()
                            .toList();
            for (int i = 0; i < all.size(); i++) {
                assertThat(all.get(i)).isEqualTo("tick " + i);
            }
        }
    }
}
