package dev.atoll.shim;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class HeapTidyingTest {
    private static final long MEBIBYTE = 1 << 20;

    /// As an image passes through the daemon: some pieces are alive at any time, so that each
    /// outlives a few collections of the young generation.
    static final class Reader {
        private static final int ALIVE = 6;
        private static final int PIECES = 600;

        private Reader() {}

        /// Writes the size of the heap, in MiB, when the pieces have passed.
        public static void main(String[] watched) throws InterruptedException {
            if (watched.length > 0) {
                HeapTidying.start();
            }
            ArrayDeque<byte[]> pieces = new ArrayDeque<>();
            for (int i = 0; i < PIECES; i++) {
                pieces.add(new byte[(int) MEBIBYTE / 2]);
                if (pieces.size() > ALIVE) {
                    var _ = pieces.remove();
                }
            }
            long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
            while (size() > 40 && watched.length > 0 && System.nanoTime() < deadline) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            System.out.println(size());
        }

        private static long size() {
            return Runtime.getRuntime().totalMemory() / MEBIBYTE;
        }
    }

    @Test
    void whatPassesThroughTheHeapDoesNotStayItsSize() throws Exception {
        assertThat(sizeAfterReading("-Xmx128m")).isGreaterThan(100);
        assertThat(sizeAfterReading("-Xmx128m", "watched")).isLessThanOrEqualTo(40);
    }

    @Test
    void aHeapThatIsSmallerThanWhatIsWatchedForWorks() throws Exception {
        assertThat(sizeAfterReading("-Xmx28m", "watched")).isLessThanOrEqualTo(28);
    }

    /// In a JVM with the options of the distribution's `atolld`.
    private static long sizeAfterReading(String limit, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                System.getProperty("java.home") + "/bin/java",
                                "-XX:+UseSerialGC",
                                "-Xms24m",
                                "-Xmn10m",
                                limit,
                                "-XX:MaxHeapFreeRatio=60",
                                "-XX:-ShrinkHeapInSteps",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Reader.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(process.waitFor()).as(output).isZero();
        return Long.parseLong(output.strip());
    }
}
