package dev.atoll.sandbox.guest;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.Digest;
import dev.atoll.oci.program.Entrypoint;
import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.GuestRequest;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// A sandbox on the real engine, with a bundle for its guests.
final class SandboxFixture implements AutoCloseable {
    private static final long DEADLINE_SECONDS = 60;

    private final Path directory;
    private final WasmSandbox sandbox;
    private final AtomicInteger containers = new AtomicInteger();

    SandboxFixture(Path directory) {
        this.directory = directory;
        try {
            Files.createDirectories(rootfs());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.sandbox = WasmSandbox.open(SandboxConfig.in(state()));
    }

    /// How a guest ended and what it wrote.
    record Run(WorkloadEnd end, String stdout, String stderr, WorkloadDescription description) {}

    WasmSandbox sandbox() {
        return sandbox;
    }

    Path state() {
        return directory.resolve("state");
    }

    Path rootfs() {
        return directory.resolve("bundle/rootfs");
    }

    Path path(String name) {
        return directory.resolve(name);
    }

    static byte[] resource(String name) {
        try (InputStream stream =
                Objects.requireNonNull(
                        SandboxFixture.class.getResourceAsStream("/guests/" + name), name)) {
            return stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static WasmProgram layer(String resource) {
        return layer(resource, resource(resource));
    }

    static WasmProgram layer(String name, byte[] bytes) {
        return new WasmProgram.Layer(
                Entrypoint.parse("/app.wasm"),
                new Digest("sha256", sha256(bytes)),
                name,
                (target, maxBytes) -> {
                    try {
                        Files.write(target, bytes);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
    }

    /// A program in the image's root file system.
    static WasmProgram file(String firstArgument) {
        return new WasmProgram.RootfsFile(
                Entrypoint.parse(firstArgument), "an OCI image for linux/amd64 with 3 tar layers");
    }

    Workload guest(WasmProgram program, Specs specs, Stdio stdio) {
        return sandbox.guest(
                new GuestRequest(
                        new ContainerKey("test", "c" + containers.incrementAndGet()),
                        directory.resolve("bundle"),
                        List.of(),
                        specs.spec(),
                        stdio,
                        program));
    }

    /// Executes a command beside a guest that runs, with files as streams, to its end.
    Run exec(Workload container, ProcessSpec process) throws Exception {
        Path stdout = Files.createTempFile(directory, "stdout", "");
        Path stderr = Files.createTempFile(directory, "stderr", "");
        Stdio stdio = new Stdio("", stdout.toString(), process.terminal() ? "" : stderr.toString());
        try (Workload command = container.exec(new ExecRequest("e1", process, stdio))) {
            WorkloadEnd end = await(start(command));
            return new Run(
                    end, Files.readString(stdout), Files.readString(stderr), command.description());
        }
    }

    static CompletableFuture<WorkloadEnd> start(Workload workload) {
        CompletableFuture<WorkloadEnd> end = new CompletableFuture<>();
        workload.start(end::complete);
        return end;
    }

    static <T> T await(CompletableFuture<T> end) throws Exception {
        return end.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    /// Runs a guest to its end, with files as streams.
    Run run(WasmProgram program, Specs specs) throws Exception {
        Path stdout = Files.createTempFile(directory, "stdout", "");
        Path stderr = Files.createTempFile(directory, "stderr", "");
        Stdio stdio = new Stdio("", stdout.toString(), stderr.toString());
        try (Workload workload = guest(program, specs, stdio)) {
            WorkloadEnd end = await(start(workload));
            return new Run(
                    end,
                    Files.readString(stdout),
                    Files.readString(stderr),
                    workload.description());
        }
    }

    Run run(String resource, String... arguments) throws Exception {
        String[] args = new String[arguments.length + 1];
        args[0] = "/app.wasm";
        System.arraycopy(arguments, 0, args, 1, arguments.length);
        return run(layer(resource), new Specs().args(args));
    }

    Path fifo(String name) throws Exception {
        Path fifo = directory.resolve(name);
        Process process = new ProcessBuilder("mkfifo", fifo.toString()).start();
        if (process.waitFor() != 0) {
            throw new IOException("mkfifo failed");
        }
        return fifo;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        sandbox.close();
    }
}
