package dev.atoll.sandbox.guest;

import static dev.atoll.sandbox.guest.SandboxFixture.await;
import static dev.atoll.sandbox.guest.SandboxFixture.layer;
import static dev.atoll.sandbox.guest.SandboxFixture.resource;
import static dev.atoll.sandbox.guest.SandboxFixture.start;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.Digest;
import dev.atoll.oci.program.Entrypoint;
import dev.atoll.oci.program.WasmProgram;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Commands in a container on the real engine. The container sleeps; its artifact is
/// `bin/sleep.wasm` with the other programs `tools/exit.wasm` and `hello.wasm`.
@TestInstance(Lifecycle.PER_CLASS)
final class ExecIT {
    private final SandboxFixture fixture;
    private Workload container;

    ExecIT(@TempDir Path directory) throws Exception {
        fixture = new SandboxFixture(directory);
        Files.createDirectories(fixture.rootfs().resolve("usr/bin"));
        Files.createDirectories(fixture.rootfs().resolve("data/directory"));
        Files.write(fixture.rootfs().resolve("usr/bin/exit.wasm"), resource("exit.wat"));
        Files.write(fixture.rootfs().resolve("data/said"), resource("hello.wat"));
        Files.write(fixture.rootfs().resolve("data/trap.wasm"), resource("trap.wat"));
        Files.write(fixture.rootfs().resolve("data/odd.wasm"), resource("unknown-import.wat"));
        Files.writeString(fixture.rootfs().resolve("usr/bin/sh"), "\u007fELF\u0002\u0001\u0001");
        Files.writeString(fixture.rootfs().resolve("usr/bin/run"), "#!/bin/sh\n");
        container = fixture.guest(artifact(), new Specs(), Stdio.NONE);
    }

    private static WasmProgram artifact() {
        WasmProgram.Layer own = part("sleep.wat", "bin/sleep.wasm");
        return new WasmProgram.Layer(
                own.entrypoint(),
                own.digest(),
                own.name(),
                own.content(),
                List.of(part("exit.wat", "tools/exit.wasm"), part("hello.wat", "hello.wasm")));
    }

    private static WasmProgram.Layer part(String resource, String title) {
        WasmProgram.Layer layer = (WasmProgram.Layer) layer(resource);
        Digest digest = layer.digest();
        return new WasmProgram.Layer(Entrypoint.parse("/app.wasm"), digest, title, layer.content());
    }

    @BeforeAll
    void startContainer() {
        var _ = start(container);
    }

    @AfterAll
    void close() {
        container.close();
        fixture.close();
    }

    private static Specs command(String... words) {
        return new Specs().args(words).env("PATH=/bin:/usr/bin");
    }

    private SandboxFixture.Run run(String... words) throws Exception {
        return fixture.exec(container, command(words).processSpec());
    }

    /// Each ends with as many as it has arguments (exit.wat), or says hello.
    @ParameterizedTest
    @CsvSource({
        "exit, 1",
        "exit.wasm, 1",
        "tools/exit.wasm, 1",
        "/tools/exit.wasm, 1",
        "hello, 0",
        "hello.wasm, 0",
        "/usr/bin/exit.wasm, 1",
        "usr/bin/exit.wasm, 1",
        "../usr/./bin/exit.wasm, 1",
        "/data/said, 0",
        "/data/trap.wasm, 134",
    })
    void aCommandIsAProgramOfTheArtifactOrAFile(String name, int status) throws Exception {
        SandboxFixture.Run run = run(name);

        assertThat(run.end().exitStatus()).isEqualTo(status);
        assertThat(run.stdout()).isEqualTo(status == 0 ? "hello\n" : "");
    }

    @Test
    void itsArgumentsAreThoseOfTheCommand() throws Exception {
        assertThat(run("exit", "a", "b").end()).isEqualTo(new WorkloadEnd.Exited(3));
    }

    @ParameterizedTest
    @CsvSource({"/app.wasm", "app.wasm", "app", "bin/sleep.wasm", "sleep.wasm", "sleep"})
    void theContainersOwnProgramHasSeveralNames(String name) throws Exception {
        try (Workload command =
                container.exec(new ExecRequest("e", command(name).processSpec(), Stdio.NONE))) {
            CompletableFuture<WorkloadEnd> end = start(command);

            command.signal(15);

            assertThat(await(end)).isEqualTo(new WorkloadEnd.Signalled(15));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ls | 127 | ls: not found in the container; a wasm container has no shell; accepted are its own programs (bin/sleep.wasm, tools/exit.wasm, hello.wasm) and .wasm files by their path",
                "/bin/ls | 127 | /bin/ls: not found in the container; a wasm container has no shell; accepted are its own programs (bin/sleep.wasm, tools/exit.wasm, hello.wasm) and .wasm files by their path",
                "sh | 126 | /usr/bin/sh is an ELF executable, which a wasm container cannot run; accepted are its own programs (bin/sleep.wasm, tools/exit.wasm, hello.wasm) and .wasm files by their path",
                "run | 126 | /usr/bin/run is a script (#!/bin/sh), which a wasm container cannot run; accepted are its own programs (bin/sleep.wasm, tools/exit.wasm, hello.wasm) and .wasm files by their path",
                "hello#shout | 126 | hello.wasm does not export shout; it exports _start; name one of them after the program, as in app.wasm#name",
            })
    void whatCannotBeRunSaysWhyAndEndsAsInAShell(String name, int status, String sentence)
            throws Exception {
        SandboxFixture.Run run = run(name);

        assertThat(run.stderr()).isEqualTo("atoll: " + sentence + "\n");
        assertThat(run.stdout()).isEmpty();
        assertThat(run.end()).isEqualTo(new WorkloadEnd.Exited(status));
    }

    @ParameterizedTest
    @CsvSource({"/data/directory, directory", "/data/odd.wasm, imports"})
    void theEnginesRefusalIsTheCommands(String path, String said) throws Exception {
        SandboxFixture.Run run = run(path);

        assertThat(run.end()).isEqualTo(new WorkloadEnd.Exited(126));
        assertThat(run.stderr()).startsWith("atoll: ").contains(path, said).endsWith("\n");
        assertThat(run.stderr().lines()).hasSize(1);
    }

    @Test
    void atATerminalTheRefusalIsShownThere() throws Exception {
        SandboxFixture.Run run = fixture.exec(container, command("ls").terminal().processSpec());

        assertThat(run.end()).isEqualTo(new WorkloadEnd.Exited(127));
        assertThat(run.stdout()).startsWith("atoll: ls: not found").endsWith("path\r\n");
    }

    @Test
    void aCommandAtATerminalEchoesWhatIsTypedAndEndsAtControlD() throws Exception {
        Files.write(fixture.rootfs().resolve("usr/bin/cat.wasm"), resource("cat.wat"));
        Path stdin = fixture.fifo("typed");
        Path stdout = fixture.fifo("shown");
        Stdio stdio = new Stdio(stdin.toString(), stdout.toString(), "");
        try (Workload command =
                container.exec(
                        new ExecRequest("e", command("cat").terminal().processSpec(), stdio))) {
            CompletableFuture<WorkloadEnd> end = start(command);
            try (OutputStream typed = Files.newOutputStream(stdin);
                    InputStream shown = Files.newInputStream(stdout)) {
                command.resize(new TerminalSize(80, 24));
                typed.write("hi\r\u0004".getBytes(StandardCharsets.US_ASCII));
                typed.flush();

                assertThat(await(end)).isEqualTo(new WorkloadEnd.Exited(0));
                assertThat(new String(shown.readAllBytes(), StandardCharsets.US_ASCII))
                        .isEqualTo("hi\r\nhi\r\n");
            }
        }
    }

    @Test
    void whoeverReadsSeesTheEndOfACommandThatWasKilledWhileItWasLoaded() throws Exception {
        Path stdout = fixture.fifo("never");
        ExecutedGuest command =
                new ExecutedGuest(
                        new ExecRequest(
                                "e",
                                command("x").processSpec(),
                                new Stdio("", stdout.toString(), "")),
                        _ -> new CompletableFuture<Workload>().join());
        CompletableFuture<WorkloadEnd> end = start(command);
        try (InputStream shown = Files.newInputStream(stdout)) {
            command.signal(9);

            assertThat(shown.read()).isEqualTo(-1);
            assertThat(await(end)).isEqualTo(new WorkloadEnd.Signalled(9));
        }
    }

    @Test
    void whoeverReadsAfterACommandHasEndedSeesWhatItWroteAndTheEnd() throws Exception {
        Path stdout = fixture.fifo("late-out");
        Path stderr = fixture.fifo("late-err");
        Stdio stdio = new Stdio("", stdout.toString(), stderr.toString());
        for (int round = 0; round < 100; round++) {
            try (Workload command =
                    container.exec(new ExecRequest("e", command("nothing").processSpec(), stdio))) {
                assertThat(await(start(command))).isEqualTo(new WorkloadEnd.Exited(127));

                assertThat(await(readLate(stderr))).startsWith("atoll: nothing: not found");
                assertThat(await(readLate(stdout))).isEmpty();
            }
        }
    }

    private static CompletableFuture<String> readLate(Path fifo) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return Files.readString(fifo);
            } catch (IOException e) {
                throw new UncheckedIOException("read " + fifo, e);
            }
        });
    }

    @Test
    void inputEndsWhenItIsClosedAndNotBefore() throws Exception {
        Files.write(fixture.rootfs().resolve("usr/bin/cat.wasm"), resource("cat.wat"));
        Path stdin = fixture.fifo("in");
        Path stdout = Files.createTempFile("exec", "out");
        Stdio stdio = new Stdio(stdin.toString(), stdout.toString(), "");
        try (Workload command =
                container.exec(new ExecRequest("e", command("cat").processSpec(), stdio))) {
            CompletableFuture<WorkloadEnd> end = start(command);
            try (OutputStream input = Files.newOutputStream(stdin)) {
                input.write("some text".getBytes(StandardCharsets.US_ASCII));
            }
            assertThat(end).isNotDone();

            command.closeStdin();

            assertThat(await(end)).isEqualTo(new WorkloadEnd.Exited(0));
            assertThat(Files.readString(stdout)).isEqualTo("some text");
        }
    }

    @Test
    void nothingIsExecutedInAContainerThatDoesNotRun() throws Exception {
        ExecRequest request = new ExecRequest("e", command("exit").processSpec(), Stdio.NONE);
        try (Workload other = fixture.guest(layer("sleep.wat"), new Specs(), Stdio.NONE)) {
            assertThatThrownBy(() -> other.exec(request))
                    .isInstanceOf(WorkloadEnded.class)
                    .hasMessageEndingWith("has not been started");
            CompletableFuture<WorkloadEnd> end = start(other);
            other.signal(9);
            var _ = await(end);
            assertThatThrownBy(() -> other.exec(request))
                    .isInstanceOf(WorkloadEnded.class)
                    .hasMessageEndingWith("has ended with status 137");
        }
    }
}
