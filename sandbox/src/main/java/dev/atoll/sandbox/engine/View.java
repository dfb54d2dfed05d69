package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.SandboxFailure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/// A guest's file system: a private mount namespace. Thread-safe. Closing is idempotent, and
/// unmounts once the last guest that uses it is closed.
public final class View implements AutoCloseable {
    private final EngineLibrary library;
    private final Handle handle;

    View(EngineLibrary library, long id) {
        this.library = library;
        this.handle = new Handle("a file system view", id);
    }

    long id() {
        return handle.id();
    }

    /// Opens a regular file for reading, links resolved inside the view.
    ///
    /// @return empty if there is no such file; else the caller owns the channel
    /// @throws dev.atoll.sandbox.InvalidWorkload if it is not a regular file
    public Optional<FileChannel> open(String path) {
        long descriptor = library.find(EngineFunction.VIEW_OPEN, handle.id(), 0, path);
        if (descriptor < 0) {
            return Optional.empty();
        }
        try {
            // The link opens the file itself, whatever the mount namespace it was found in.
            return Optional.of(
                    FileChannel.open(
                            Path.of("/proc/self/fd/" + descriptor), StandardOpenOption.READ));
        } catch (IOException e) {
            throw new SandboxFailure(
                    "file %s of the container cannot be opened again through /proc/self/fd: is /proc mounted?"
                            .formatted(path),
                    e);
        } finally {
            Descriptors.close((int) descriptor);
        }
    }

    @Override
    public void close() {
        handle.release(id -> library.call(EngineFunction.VIEW_DROP, id, 0, ""));
    }
}
