package dev.atoll.sandbox.code;

import dev.atoll.sandbox.SandboxFailure;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Directories that nobody but the daemon's user may change.
final class PrivateDirectory {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rwx------");

    private PrivateDirectory() {}

    /// Makes `path` with mode 0700, or checks the one that is there.
    ///
    /// @throws SandboxFailure if it is not a directory, is owned by another user, or others may
    ///   write there
    static void ensure(Path path) {
        try {
            Path parent = path.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            try {
                Files.createDirectory(path, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            } catch (FileAlreadyExistsException e) {
                check(path);
            }
        } catch (IOException e) {
            throw new SandboxFailure(
                    "directory %s for compiled code cannot be made: %s"
                            .formatted(path, e.getMessage()),
                    e);
        }
    }

    private static void check(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new SandboxFailure(
                    "%s is not a directory, so it cannot hold compiled code: remove it"
                            .formatted(path));
        }
        Object owner = Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        Object self = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        if (!owner.equals(self)) {
            throw new SandboxFailure(
                    "directory %s for compiled code is owned by user %s: expected user %s, whom the daemon runs as; check who made it, then remove it"
                            .formatted(path, owner, self));
        }
        Set<PosixFilePermission> permissions =
                Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new SandboxFailure(
                    "directory %s for compiled code has mode %s, so others may write there: expected rwx------; check who changed it, then remove it"
                            .formatted(path, PosixFilePermissions.toString(permissions)));
        }
    }
}
