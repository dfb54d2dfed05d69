package dev.atoll.deploy.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Programs as child processes, in the host's namespaces.
///
/// @param prefix what enters the host's namespaces; empty where this process is in them
public record ProcessCommands(List<String> prefix) implements HostCommands {
    /// Where a host's programs are looked for: an image has a `PATH` of its own, in which the
    /// host's service manager need not be.
    private static final String HOST_PATH =
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public ProcessCommands {
        prefix = List.copyOf(prefix);
    }

    /// @param root where the host's files are seen: `/` on the host itself. Elsewhere the host's
    ///   first process must be visible as pid 1, as it is in a pod with `hostPID`.
    public static ProcessCommands at(Path root) {
        return new ProcessCommands(
                root.equals(Path.of("/"))
                        ? List.of()
                        : List.of("nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--"));
    }

    /// Output goes through files, so that a background process that inherits them delays nobody.
    @Override
    public Result run(Duration deadline, List<String> words) throws InstallFailed {
        try {
            Path directory = Files.createTempDirectory("atoll-command");
            Path out = directory.resolve("out");
            Path err = directory.resolve("err");
            try {
                return run(deadline, words, out, err);
            } finally {
                Files.deleteIfExists(out);
                Files.deleteIfExists(err);
                Files.delete(directory);
            }
        } catch (IOException e) {
            throw new InstallFailed(
                    "cannot run %s: %s".formatted(words.getFirst(), e.getMessage()), e);
        }
    }

    private Result run(Duration deadline, List<String> words, Path out, Path err)
            throws IOException, InstallFailed {
        List<String> all = new ArrayList<>(prefix);
        all.addAll(words);
        ProcessBuilder builder =
                new ProcessBuilder(all)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
        if (!prefix.isEmpty()) {
            builder.environment().put("PATH", HOST_PATH);
        }
        Process process = builder.start();
        try {
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                kill(process);
                throw new InstallFailed(
                        "%s did not end within %d s and was killed"
                                .formatted(String.join(" ", words), deadline.toSeconds()));
            }
        } catch (InterruptedException e) {
            kill(process);
            Thread.currentThread().interrupt();
            throw new InstallFailed("interrupted while %s ran".formatted(words.getFirst()), e);
        }
        return new Result(process.exitValue(), read(out), read(err));
    }

    private static void kill(Process process) {
        List<ProcessHandle> descendants = process.descendants().toList();
        process.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), UTF_8);
    }
}
