package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NodeMemoryTest {
    @TempDir private Path root;

    @BeforeEach
    void aMachineWithOneGibibyte() throws IOException {
        write("proc/meminfo", "MemTotal:        1048576 kB\nMemFree:               1 kB\n");
    }

    @Test
    void withoutALimitItIsTheMachines() throws IOException {
        write("proc/self/cgroup", "0::/system.slice/atolld.service\n");
        write("cgroup/system.slice/atolld.service/memory.max", "max\n");

        assertThat(available()).isEqualTo(1L << 30);
    }

    @Test
    void theLeastLimitOfTheGroupsAboveCounts() throws IOException {
        write("proc/self/cgroup", "0::/system.slice/atolld.service\n");
        write("cgroup/system.slice/atolld.service/memory.max", "5000000\n");
        write("cgroup/system.slice/memory.max", "4000000\n");

        assertThat(available()).isEqualTo(4_000_000);
    }

    @Test
    void versionOneOfCgroupsCountsToo() throws IOException {
        write("proc/self/cgroup", "3:cpu,cpuacct:/a\n2:memory:/a\n0::/\n");
        write("cgroup/memory/a/memory.limit_in_bytes", "3000000\n");
        write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");

        assertThat(available()).isEqualTo(3_000_000);
    }

    @Test
    void aMachineThatDoesNotTellIsNamed() throws IOException {
        write("proc/meminfo", "nothing\n");
        write("proc/self/cgroup", "");

        assertThatThrownBy(this::available)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("meminfo does not tell MemTotal");
    }

    private long available() throws IOException {
        return new NodeMemory(root.resolve("proc"), root.resolve("cgroup")).available();
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
