package dev.atoll.shim.relay;

import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.socket.UnixListener;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/// The bundle that the other shim gets, beside containerd's own: with the changed `config.json`,
/// and without the file `address` that is for containerd, since a shim removes the socket it names
/// when it ends. It lies in the daemon's run directory, where the launcher finds it if the daemon
/// is gone.
///
/// @param directory its last name is the container's id, which the shim for runc expects
record NativeBundle(Path directory) {
    private static final String RELAY = "relay";

    static NativeBundle of(Path root, ContainerKey container) {
        return new NativeBundle(root.resolve(container.namespace()).resolve(container.id()));
    }

    boolean exists() {
        return Files.exists(directory);
    }

    /// @param bundle containerd's, whose log is shared
    void make(Path bundle, byte[] config) throws IOException {
        UnixListener.privateDirectory(directory);
        Files.createDirectory(
                directory.resolve("rootfs"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x")));
        Files.createSymbolicLink(directory.resolve("log"), bundle.resolve("log"));
        Files.write(directory.resolve("config.json"), config);
    }

    /// Leaves word for the launcher (`shim/launcher/src/runtime.c`).
    ///
    /// @param program the other shim's
    void note(ShimAddress address, Path program) throws IOException {
        Path draft = directory.resolve("." + RELAY);
        Files.writeString(
                draft, "%s\n%s\n%s\n".formatted(address.service(), address.socket(), program));
        Files.move(draft, directory.resolve(RELAY));
    }

    /// Removes it. A rootfs that is still mounted is left alone, and the directory with it: nothing
    /// of a container's files is removed through a mount.
    void remove() throws IOException {
        if (!exists()) {
            return;
        }
        try {
            Files.deleteIfExists(directory.resolve("rootfs"));
        } catch (DirectoryNotEmptyException e) {
            throw new IOException("%s is left: its rootfs is not empty".formatted(directory), e);
        }
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path visited, IOException failure)
                            throws IOException {
                        Files.deleteIfExists(visited);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
