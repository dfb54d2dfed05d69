package dev.atoll.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CommandLineTest {
    private static final Digest DIGEST = new Digest("sha256", "ab".repeat(32));

    private final List<PushCommand.Request> pushed = new ArrayList<>();
    private final Terminal terminal =
            new Terminal(
                    new PushCommand(request -> {
                        pushed.add(request);
                        return DIGEST;
                    }),
                    new VersionCommand());

    @Test
    void withoutACommandTheCommandsAreListed() {
        int status = terminal.run();

        assertThat(status).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.err()).contains("push", "version", "--help");
    }

    @ParameterizedTest
    @CsvSource({"--help,", "-h,", "help,", "help,push", "push,--help", "push,-h"})
    void helpGoesToStandardOutput(String first, String second) {
        int status = second == null ? terminal.run(first) : terminal.run(first, second);

        assertThat(status).isZero();
        assertThat(terminal.out()).startsWith("Usage: atoll ");
        assertThat(terminal.err()).isEmpty();
    }

    @Test
    void wrongUsageIsOneSentenceThatNamesTheHelp() {
        assertThat(terminal.run("pull")).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.err())
                .isEqualTo("atoll: unknown command pull: expected one of push, version\n");

        assertThat(terminal.run("push", "--insecure")).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.err())
                .isEqualTo("atoll: unknown option --insecure: see atoll push --help\n");

        assertThat(terminal.run("push", "only-one")).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.err())
                .isEqualTo(
                        "atoll: expected FILE and REFERENCE, found 1 arguments: see atoll push --help\n");

        assertThat(terminal.run("push", "--entrypoint")).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.run("push", "--plain-http=1")).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.run("version", "x")).isEqualTo(CommandLine.WRONG_USAGE);
    }

    @Test
    void aProgramIsPushedAsTold(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("app.wasm"), "wasm");

        int status =
                terminal.run(
                        "push",
                        "--plain-http",
                        file.toString(),
                        "--entrypoint=/app#run",
                        "r.example/app:1");

        assertThat(status).isZero();
        assertThat(terminal.out()).isEqualTo("pushed r.example/app:1@" + DIGEST + "\n");
        assertThat(pushed)
                .containsExactly(
                        new PushCommand.Request(
                                List.of(file), "r.example/app:1", Optional.of("/app#run"), true));
    }

    @Test
    void aMissingFileIsNotPushed(@TempDir Path directory) {
        Path file = directory.resolve("none.wasm");

        int status = terminal.run("push", file.toString(), "r.example/app:1");

        assertThat(status).isEqualTo(CommandLine.FAILED);
        assertThat(terminal.err())
                .isEqualTo(
                        "atoll: %s is no readable file: expected a WebAssembly program\n"
                                .formatted(file));
        assertThat(pushed).isEmpty();
    }

    @Test
    void aRefusalIsOneSentence(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("app.wasm"), "text");
        Terminal refusing =
                new Terminal(
                        new PushCommand(_ -> {
                            throw new InvalidImage("app.wasm is no WebAssembly\nat all");
                        }));

        int status = refusing.run("push", file.toString(), "r.example/app:1");

        assertThat(status).isEqualTo(CommandLine.FAILED);
        assertThat(refusing.err())
                .isEqualTo(
                        "atoll: cannot push to r.example/app:1: app.wasm is no WebAssembly?at all\n");
    }
}
