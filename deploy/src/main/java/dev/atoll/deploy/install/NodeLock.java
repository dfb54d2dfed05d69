package dev.atoll.deploy.install;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// Held while a host is changed, so that two installers never change it at once. The kernel gives
/// it back when the process ends, however it ends.
record NodeLock(FileChannel file) implements AutoCloseable {
    /// @throws InstallFailed if another installer has it
    static NodeLock take(Host host) throws InstallFailed {
        Path path = host.path(host.resolved(Layout.LOCK));
        try {
            Files.createDirectories(path.resolveSibling("."));
            FileChannel file =
                    FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(file) == null) {
                file.close();
                throw new InstallFailed(
                        "another installer changes this host right now (%s is locked): wait until it is done"
                                .formatted(Layout.LOCK));
            }
            return new NodeLock(file);
        } catch (IOException e) {
            throw new InstallFailed("cannot lock %s: %s: run as root".formatted(Layout.LOCK, e), e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException _) {
            return null; // This process holds it.
        }
    }

    @Override
    public void close() throws InstallFailed {
        try {
            file.close();
        } catch (IOException e) {
            throw new InstallFailed("cannot unlock %s: %s".formatted(Layout.LOCK, e), e);
        }
    }
}
