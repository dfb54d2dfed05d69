package dev.atoll.sandbox.code;

import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.engine.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.Optional;

/// Looks at files of a container that may be programs. Stateless; blocks.
public final class ProgramFile {
    private ProgramFile() {}

    /// The head of the file at an absolute path of the view; empty if there is no such file.
    ///
    /// @throws dev.atoll.sandbox.InvalidWorkload if it is not a regular file
    public static Optional<ProgramHead> head(View view, String path) {
        Optional<FileChannel> found = view.open(path);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        try (FileChannel channel = found.get()) {
            return Optional.of(head(channel));
        } catch (IOException e) {
            throw new SandboxFailure(
                    "file %s of the container cannot be read: %s".formatted(path, e.getMessage()),
                    e);
        }
    }

    static ProgramHead head(FileChannel channel) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(ProgramHead.BYTES);
        while (head.hasRemaining()) {
            if (channel.read(head, head.position()) < 0) {
                break;
            }
        }
        return ProgramHead.of(Arrays.copyOf(head.array(), head.position()));
    }
}
