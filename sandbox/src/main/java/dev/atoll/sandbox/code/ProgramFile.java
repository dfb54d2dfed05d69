package dev.atoll.sandbox.code;

import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.NativeProgram;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.engine.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// A file of a container that may be a program, open for reading. Confined to one thread.
public record ProgramFile(String path, FileChannel channel) implements AutoCloseable {
    /// Looks as a program is looked for ([ProgramPaths]): in the working directory for WebAssembly,
    /// then along `PATH` for whatever is first.
    ///
    /// @throws NativeProgram if it is a program of another kind, or there is none and nothing says
    ///   that it should be WebAssembly
    /// @throws InvalidWorkload if it cannot be run at all
    /// @throws IOException if it cannot be read
    public static ProgramFile find(WasmProgram.RootfsFile file, View view, ProcessSpec process)
            throws IOException {
        List<String> paths = ProgramPaths.of(file.entrypoint(), process);
        boolean command = paths.size() > 1;
        boolean saysWasm = ProgramPaths.saysWasm(file.entrypoint());
        Optional<SandboxException> refusal = Optional.empty();
        for (String path : paths) {
            boolean inWorkingDirectory = path.equals(paths.getFirst());
            Optional<FileChannel> channel;
            try {
                channel = view.open(path);
            } catch (InvalidWorkload e) {
                if (!command || saysWasm) {
                    refusal =
                            Optional.of(ProgramRefusal.notAFile(path, file.imageDescription(), e));
                }
                continue;
            }
            if (channel.isEmpty()) {
                continue;
            }
            ProgramFile found = new ProgramFile(path, channel.get());
            ProgramHead head = found.head();
            if (head.isWasm()) {
                return found;
            }
            found.close();
            refusal = Optional.of(refusal(path + " in " + file.imageDescription(), head, file));
            if (!inWorkingDirectory) {
                break;
            }
        }
        throw refusal.orElseGet(() ->
                saysWasm
                        ? ProgramRefusal.missing(paths.getFirst(), file.imageDescription())
                        : ProgramRefusal.missingOfAnyKind(
                                paths.getFirst(), file.imageDescription()));
    }

    /// The head of the file at an absolute path of the view; empty if there is no such file.
    ///
    /// @throws InvalidWorkload if it is not a regular file
    public static Optional<ProgramHead> head(View view, String path) {
        Optional<FileChannel> channel = view.open(path);
        if (channel.isEmpty()) {
            return Optional.empty();
        }
        try (ProgramFile file = new ProgramFile(path, channel.get())) {
            return Optional.of(file.head());
        } catch (IOException e) {
            throw new SandboxFailure(
                    "file %s of the container cannot be read: %s".formatted(path, e.getMessage()),
                    e);
        }
    }

    private static SandboxException refusal(
            String name, ProgramHead head, WasmProgram.RootfsFile file) {
        return head.isNative() && file.entrypoint().export().isEmpty()
                ? ProgramRefusal.isNative(name, head)
                : ProgramRefusal.notWasm(name, head);
    }

    /// Closes the file if it cannot be read.
    private ProgramHead head() throws IOException {
        ByteBuffer head = ByteBuffer.allocate(ProgramHead.BYTES);
        try {
            while (head.hasRemaining()) {
                if (channel.read(head, head.position()) < 0) {
                    break;
                }
            }
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        return ProgramHead.of(Arrays.copyOf(head.array(), head.position()));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
