package dev.atoll.e2e.node;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A program of the machine that runs until it is closed.
public final class Background implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final Process process;
    private final Path log;

    private Background(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /// Starts it; it ends with this process at the latest.
    public static Background start(List<String> words) {
        try {
            Path log = Files.createTempFile("background", ".log");
            log.toFile().deleteOnExit();
            // (the kernel ends it when this process dies, whatever it dies of)
            var all = Stream.concat(Stream.of("setpriv", "--pdeathsig", "KILL"), words.stream());
            Process process =
                    new ProcessBuilder(all.toList())
                            .redirectInput(new File("/dev/null"))
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
            return new Background(process, log);
        } catch (IOException e) {
            throw new UncheckedIOException("start " + words, e);
        }
    }

    /// Returns its pid.
    public long pid() {
        return process.pid();
    }

    /// Returns what it has written so far.
    public String output() {
        try {
            return Files.readString(log, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("read " + log, e);
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroy();
        descendants.forEach(ProcessHandle::destroy);
        try {
            if (!process.waitFor(DEADLINE.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                descendants.forEach(ProcessHandle::destroyForcibly);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
