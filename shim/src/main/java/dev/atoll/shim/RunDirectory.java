package dev.atoll.shim;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.atoll.shim.socket.UnixListener;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// The daemon's run directory, locked for this process, so that two never serve it.
final class RunDirectory implements AutoCloseable {
    private final Path directory;
    private final FileChannel lockFile;

    private RunDirectory(Path directory, FileChannel lockFile) {
        this.directory = directory;
        this.lockFile = lockFile;
    }

    /// @throws IOException with one line if another daemon holds the directory
    static RunDirectory lock(Path directory, long pid) throws IOException {
        UnixListener.privateDirectory(directory);
        Path path = directory.resolve("atolld.lock");
        FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (tryLock(file) == null) {
                throw new IOException(
                        "another atolld holds %s: stop it, or choose another --run-dir"
                                .formatted(path));
            }
            RunDirectory locked = new RunDirectory(directory, file);
            Files.writeString(locked.pidFile(), pid + "\n", US_ASCII);
            return locked;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException _) {
            return null; // This process holds it.
        }
    }

    Path ttrpcSocket() {
        return directory.resolve("ttrpc.sock");
    }

    Path apiSocket() {
        return directory.resolve("api.sock");
    }

    /// Of containers that are handed to another shim.
    Path nativeBundles() {
        return directory.resolve("native");
    }

    private Path pidFile() {
        return directory.resolve("atolld.pid");
    }

    /// The lock file itself stays: whoever removes it may remove another's.
    @Override
    public void close() throws IOException {
        Files.deleteIfExists(pidFile());
        lockFile.close();
    }
}
