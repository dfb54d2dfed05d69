package dev.atoll.sandbox.code;

import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.engine.CompiledModule;
import dev.atoll.sandbox.engine.Engine;
import dev.atoll.sandbox.engine.View;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Programs as compiled code, compiled once per node. Thread-safe; blocks while a program is read
/// and compiled.
public final class ProgramCache implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ProgramCache.class);

    private final Engine engine;
    private final CacheLimits limits;
    private final CodeDirectory directory;
    private final LoadedModules<CompiledModule> modules;

    private ProgramCache(Engine engine, CacheLimits limits, CodeDirectory directory) {
        this.engine = engine;
        this.limits = limits;
        this.directory = directory;
        this.modules =
                new LoadedModules<>(
                        limits.idleModules(), limits.compileDeadline(), CompiledModule::close);
    }

    /// @param state directory of the daemon; `code` below it is this cache's
    public static ProgramCache open(Engine engine, Path state, CacheLimits limits) {
        CodeDirectory directory =
                CodeDirectory.open(
                        state,
                        engine.describe().compatibility(),
                        limits.diskBytes(),
                        InstantSource.system());
        return new ProgramCache(engine, limits, directory);
    }

    /// Writes a program to the new file `target`.
    private interface Staging {
        void copyTo(Path target) throws IOException;
    }

    /// @param owner whose compilations wait for each other, and take turns with those of others
    /// @param view where a file of the root file system is found
    /// @param process whose working directory and `PATH` say where it is looked for
    /// @throws dev.atoll.sandbox.NativeProgram if it is a program of another kind
    /// @throws SandboxException if it is not a program, or does not compile
    /// @throws dev.atoll.oci.OciException if a layer's bytes cannot be had
    public ProgramLease acquire(String owner, WasmProgram program, View view, ProcessSpec process) {
        return switch (program) {
            case WasmProgram.Layer layer ->
                    new ProgramLease(
                            layer.digest().toString(),
                            acquire(
                                    owner,
                                    layer.digest().hex(),
                                    layer.name(),
                                    target ->
                                            layer.content().copyTo(target, limits.programBytes())));
            case WasmProgram.RootfsFile file -> acquireFile(owner, file, view, process);
        };
    }

    private ProgramLease acquireFile(
            String owner, WasmProgram.RootfsFile file, View view, ProcessSpec process) {
        try (ProgramFile found = ProgramFile.find(file, view, process)) {
            String path = found.path();
            FileChannel channel = found.channel();
            String hex = Sha256.of(channel, limits.programBytes());
            return new ProgramLease(
                    path, acquire(owner, hex, path, target -> stage(channel, path, hex, target)));
        } catch (Sha256.TooLarge e) {
            throw ProgramRefusal.tooLarge(file.entrypoint().path(), limits.programBytes());
        } catch (IOException e) {
            throw new SandboxFailure(
                    "program %s of the container cannot be read: %s"
                            .formatted(file.entrypoint().path(), e.getMessage()),
                    e);
        }
    }

    /// What is compiled is a private copy, so that a writable volume cannot change it underneath.
    private void stage(FileChannel channel, String path, String hex, Path target)
            throws IOException {
        if (!Sha256.copy(channel, target, limits.programBytes()).equals(hex)) {
            throw new InvalidWorkload(
                    "%s changed while it was read: start the container again once it is written"
                            .formatted(path));
        }
    }

    private LoadedModules<CompiledModule>.Lease acquire(
            String owner, String programHex, String name, Staging staging) {
        return modules.acquire(programHex, () -> load(owner, programHex, name, staging));
    }

    private LoadedModules.Loaded<CompiledModule> load(
            String owner, String programHex, String name, Staging staging) {
        Optional<CompiledModule> found = map(programHex, name);
        if (found.isPresent()) {
            return new LoadedModules.Loaded<>(found.get(), true);
        }
        Path source = directory.temporary("source");
        Path output = directory.temporary("output");
        try {
            staging.copyTo(source);
            ProgramHead head = head(source);
            if (!head.isWasm()) {
                throw ProgramRefusal.notWasm(name, head);
            }
            CompiledModule module = await(name, engine.compile(owner, name, source, output));
            keep(programHex, output);
            return new LoadedModules.Loaded<>(module, false);
        } catch (IOException e) {
            throw new SandboxFailure(
                    "program %s cannot be written to %s: %s"
                            .formatted(name, directory.path(), e.getMessage()),
                    e);
        } finally {
            directory.remove(source);
            directory.remove(output);
        }
    }

    private Optional<CompiledModule> map(String programHex, String name) {
        Optional<Path> entry = Optional.empty();
        try {
            entry = directory.find(programHex);
            if (entry.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(await(name, engine.map(name, entry.get())));
        } catch (IOException | SandboxException e) {
            LOGGER.atWarn()
                    .addKeyValue("program", name)
                    .addKeyValue("error", e.toString())
                    .log("compiled code could not be used and is made anew");
            entry.ifPresent(directory::remove);
            return Optional.empty();
        }
    }

    /// A guest can run without: then the next daemon compiles again.
    private void keep(String programHex, Path output) {
        try {
            directory.store(programHex, output);
        } catch (IOException e) {
            LOGGER.atWarn()
                    .addKeyValue("path", directory.path())
                    .addKeyValue("error", e.toString())
                    .log("compiled code could not be kept");
        }
    }

    private CompiledModule await(String name, CompletableFuture<CompiledModule> result) {
        try {
            return result.get(limits.compileDeadline().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SandboxException refused) {
                throw refused;
            }
            throw new SandboxFailure("program %s could not be compiled".formatted(name), e);
        } catch (TimeoutException e) {
            result.cancel(false);
            throw new SandboxFailure(
                    "program %s was not compiled within %d s: try again, or raise the deadline"
                            .formatted(name, limits.compileDeadline().toSeconds()),
                    e);
        } catch (InterruptedException e) {
            result.cancel(false);
            Thread.currentThread().interrupt();
            throw new SandboxFailure(
                    "interrupted while program %s was compiled".formatted(name), e);
        }
    }

    private static ProgramHead head(Path file) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            return ProgramHead.of(stream.readNBytes(ProgramHead.BYTES));
        }
    }

    /// Idle code is unmapped now, code in use once its guest is closed.
    @Override
    public void close() {
        modules.close();
    }
}
