package dev.atoll.e2e.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A command of the machine, run to its end within a deadline.
///
/// Output goes through files, so that a background process that inherits them delays nobody.
///
/// @param words the program and its arguments
/// @param environment what is added to the environment
/// @param input what the command reads
/// @param deadline how long it may take
public record Command(
        List<String> words, Map<String, String> environment, String input, Duration deadline) {
    private static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(2);

    /// Returns a command without input.
    public static Command of(List<String> words) {
        return new Command(List.copyOf(words), Map.of(), "", DEFAULT_DEADLINE);
    }

    /// Returns this command with an environment.
    public Command withEnvironment(Map<String, String> added) {
        return new Command(words, Map.copyOf(added), input, deadline);
    }

    /// Returns this command with something to read.
    public Command withInput(String text) {
        return new Command(words, environment, text, deadline);
    }

    /// Runs it.
    ///
    /// @throws IllegalStateException if it takes longer than its deadline; it and its descendants
    ///   are killed then
    public CommandResult run() {
        try {
            Path directory = Files.createTempDirectory("command");
            try {
                return runIn(directory);
            } finally {
                for (String name : List.of("in", "out", "err")) {
                    Files.deleteIfExists(directory.resolve(name));
                }
                Files.delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("run " + words, e);
        }
    }

    private CommandResult runIn(Path directory) throws IOException {
        Path in = Files.writeString(directory.resolve("in"), input);
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        var builder = new ProcessBuilder(words);
        builder.environment().putAll(environment);
        Process process =
                builder.redirectInput(in.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        try {
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                kill(process);
                throw new IllegalStateException(
                        "%s: still running after %s; so far: %s%s"
                                .formatted(words, deadline, read(out), read(err)));
            }
        } catch (InterruptedException e) {
            kill(process);
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while running " + words, e);
        }
        return new CommandResult(process.exitValue(), read(out), read(err));
    }

    /// With its descendants: `nsenter` alone would leave behind what it runs.
    private static void kill(Process process) {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }
}
