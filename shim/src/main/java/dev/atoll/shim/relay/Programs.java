package dev.atoll.shim.relay;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Runs short-lived programs. Stateless.
final class Programs {
    private Programs() {}

    /// What a program did.
    record Result(int status, ByteString output) {}

    /// Where errors of a program go.
    enum Errors {
        /// Into its output.
        WITH_OUTPUT,
        /// To the daemon's log.
        TO_LOG
    }

    /// Runs a program to its end, or kills it after `deadline`.
    ///
    /// @throws IOException with one line if it cannot be started or does not end in time
    static Result run(
            List<String> command,
            Path directory,
            Map<String, String> environment,
            byte[] input,
            Errors errors,
            Duration deadline)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        if (errors == Errors.WITH_OUTPUT) {
            builder.redirectErrorStream(true);
        } else {
            builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        }
        Process process = builder.start();
        try {
            try (OutputStream stdin = process.getOutputStream()) {
                stdin.write(input);
            } catch (IOException _) {
                // It ended without reading: what it says and returns is what counts.
            }
            ByteString output = within(deadline, process.getInputStream(), command.getFirst());
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw late(command.getFirst(), deadline);
            }
            return new Result(process.exitValue(), output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while %s ran".formatted(command.getFirst()), e);
        } finally {
            process.destroyForcibly();
        }
    }

    /// Reads to the end of the stream.
    private static ByteString within(Duration deadline, InputStream stream, String program)
            throws IOException, InterruptedException {
        return call("output of " + program, () -> ByteString.readFrom(stream), deadline, program);
    }

    /// Runs `work`, which blocks in the kernel, on a thread of its own for at most `deadline`; the
    /// thread ends with the process that it reads from.
    static <T> T call(String name, Callable<T> work, Duration deadline, String program)
            throws IOException, InterruptedException {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofVirtual().name(name).start(task);
        try {
            return task.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IllegalStateException(name + " could not be read", e);
        } catch (TimeoutException e) {
            throw new IOException(late(program, deadline).getMessage(), e);
        }
    }

    private static IOException late(String program, Duration deadline) {
        return new IOException(
                "%s did not end within %d s".formatted(program, deadline.toSeconds()));
    }
}
