package dev.atoll.deploy.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Changes of files that are complete or did not happen, whenever the machine stops.
final class AtomicFiles {
    private static final String SUFFIX = ".atoll-new";

    private AtomicFiles() {}

    /// Replaces or makes a file; an existing one's mode and owner are kept, a new one gets mode
    /// 0644.
    static void write(Path file, String text) throws IOException {
        Files.createDirectories(parent(file));
        Path fresh = beside(file);
        Files.deleteIfExists(fresh);
        if (Files.exists(file)) {
            Files.copy(file, fresh, StandardCopyOption.COPY_ATTRIBUTES);
        }
        Files.write(fresh, text.getBytes(UTF_8));
        if (!Files.exists(file)) {
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-r--r--"));
        } else {
            Files.setAttribute(fresh, "unix:uid", Files.getAttribute(file, "unix:uid"));
            Files.setAttribute(fresh, "unix:gid", Files.getAttribute(file, "unix:gid"));
        }
        replace(fresh, file);
    }

    /// Makes a link, or points it elsewhere; a file in its place is replaced.
    static void link(Path link, String target) throws IOException {
        Files.createDirectories(parent(link));
        Path fresh = beside(link);
        Files.deleteIfExists(fresh);
        Files.createSymbolicLink(fresh, Path.of(target));
        Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE);
        sync(parent(link));
    }

    /// Copies a file with its mode and times; a link is copied as a link.
    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(parent(to));
        Path fresh = beside(to);
        Files.deleteIfExists(fresh);
        Files.copy(from, fresh, StandardCopyOption.COPY_ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
        if (Files.isSymbolicLink(fresh)) {
            Files.move(fresh, to, StandardCopyOption.ATOMIC_MOVE);
        } else {
            replace(fresh, to);
        }
    }

    /// Copies a directory with modes, times and links. It appears under its name when it is
    /// complete and on the disk.
    static void copyTree(Path from, Path to) throws IOException {
        Path fresh = beside(to);
        deleteTree(fresh);
        Files.createDirectories(parent(to));
        Files.walkFileTree(
                from,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path directory, BasicFileAttributes attributes) throws IOException {
                        Files.copy(
                                directory,
                                fresh.resolve(from.relativize(directory)),
                                StandardCopyOption.COPY_ATTRIBUTES);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Path copy = fresh.resolve(from.relativize(file));
                        Files.copy(
                                file,
                                copy,
                                StandardCopyOption.COPY_ATTRIBUTES,
                                LinkOption.NOFOLLOW_LINKS);
                        if (attributes.isRegularFile()) {
                            sync(copy);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path directory, @Nullable IOException failure) throws IOException {
                        if (failure != null) {
                            throw failure;
                        }
                        Path copy = fresh.resolve(from.relativize(directory));
                        Files.setLastModifiedTime(copy, Files.getLastModifiedTime(directory));
                        sync(copy);
                        return FileVisitResult.CONTINUE;
                    }
                });
        Files.move(fresh, to, StandardCopyOption.ATOMIC_MOVE);
        sync(parent(to));
    }

    /// Removes a file or a directory with all that is in it; links are not followed.
    static void deleteTree(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(
                tree,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path directory, @Nullable IOException failure) throws IOException {
                        if (failure != null) {
                            throw failure;
                        }
                        Files.delete(directory);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    /// Removes a directory as [#deleteTree(Path)] does; one that is a mount point is only emptied.
    static void deleteTreeOrEmpty(Path tree) throws IOException {
        if (!Files.isDirectory(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        List<Path> entries;
        try (Stream<Path> list = Files.list(tree)) {
            entries = list.toList();
        }
        for (Path entry : entries) {
            deleteTree(entry);
        }
        try {
            Files.delete(tree);
        } catch (FileSystemException e) {
            if (!isMountPoint(tree)) {
                throw e;
            }
        }
    }

    private static boolean isMountPoint(Path directory) throws IOException {
        return !Files.getFileStore(directory).equals(Files.getFileStore(parent(directory)));
    }

    private static void replace(Path fresh, Path file) throws IOException {
        sync(fresh);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        sync(parent(file));
    }

    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static Path beside(Path file) {
        return file.resolveSibling("." + file.getFileName() + SUFFIX);
    }

    private static Path parent(Path file) {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IllegalArgumentException(file + " has no directory");
        }
        return parent;
    }
}
