package dev.atoll.sandbox.code;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.sandbox.SandboxFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Compiled code on disk: `<state>/code/<compatibility>/`. Thread-safe; other daemons may work in
/// the same directory.
///
/// Files appear under their name by rename only, complete. Removing one that is mapped is harmless.
final class CodeDirectory {
    private static final Logger LOGGER = LoggerFactory.getLogger(CodeDirectory.class);
    private static final Pattern TEMPORARY = Pattern.compile("tmp-([0-9]{1,10})-.*");

    private final Path directory;
    private final long maxBytes;
    private final InstantSource clock;
    private final Object lock = new Object();

    @GuardedBy("lock")
    private long temporaries;

    private CodeDirectory(Path directory, long maxBytes, InstantSource clock) {
        this.directory = directory;
        this.maxBytes = maxBytes;
        this.clock = clock;
    }

    /// Removes what crashed daemons left and code for other engines.
    ///
    /// @throws SandboxFailure if the directory is not only ours
    static CodeDirectory open(
            Path state, String compatibility, long maxBytes, InstantSource clock) {
        Path code = state.resolve("code");
        CodeDirectory opened = new CodeDirectory(code.resolve(compatibility), maxBytes, clock);
        PrivateDirectory.ensure(state);
        PrivateDirectory.ensure(code);
        PrivateDirectory.ensure(opened.directory);
        try {
            opened.removeOthers(code);
            opened.removeStaleTemporaries();
            opened.shrink(Optional.empty());
        } catch (IOException e) {
            throw new SandboxFailure(
                    "compiled code in %s cannot be tidied: %s".formatted(code, e.getMessage()), e);
        }
        return opened;
    }

    Path path() {
        return directory;
    }

    /// A name for a new file that is removed when this daemon does not come to it.
    Path temporary(String suffix) {
        PrivateDirectory.ensure(directory);
        synchronized (lock) {
            temporaries++;
            return directory.resolve(
                    "tmp-%d-%d-%s".formatted(ProcessHandle.current().pid(), temporaries, suffix));
        }
    }

    /// Looks for the program's code and verifies it: a damaged file is removed and not returned.
    Optional<Path> find(String programHex) throws IOException {
        for (CodeEntry entry : entries()) {
            if (entry.programHex().equals(programHex) && isWhole(entry)) {
                touch(entry.path());
                return Optional.of(entry.path());
            }
        }
        return Optional.empty();
    }

    /// Takes over a file made at [#temporary].
    ///
    /// @return its new path
    Path store(String programHex, Path temporary) throws IOException {
        String sha256 = Sha256.of(temporary);
        Path target = directory.resolve(CodeEntry.name(programHex, sha256));
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        touch(target);
        shrink(Optional.of(target));
        return target;
    }

    void remove(Path entry) {
        try {
            Files.deleteIfExists(entry);
        } catch (IOException e) {
            LOGGER.atWarn()
                    .addKeyValue("path", entry)
                    .addKeyValue("error", e.toString())
                    .log("a file of compiled code could not be removed");
        }
    }

    private boolean isWhole(CodeEntry entry) throws IOException {
        try {
            if (Sha256.of(entry.path()).equals(entry.sha256())) {
                return true;
            }
        } catch (NoSuchFileException e) {
            return false;
        }
        LOGGER.atWarn()
                .addKeyValue("path", entry.path())
                .log("damaged compiled code was found and is removed");
        Files.deleteIfExists(entry.path());
        return false;
    }

    private void touch(Path entry) throws IOException {
        try {
            Files.setLastModifiedTime(entry, FileTime.from(clock.instant()));
        } catch (NoSuchFileException e) {
            LOGGER.atDebug().addKeyValue("path", entry).log("compiled code was removed meanwhile");
        }
    }

    private List<CodeEntry> entries() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(CodeEntry::parse).flatMap(Optional::stream).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private record Sized(Path path, long bytes, FileTime used) {}

    /// Removes what was used longest ago until the rest fits; `newest` goes last.
    private void shrink(Optional<Path> newest) throws IOException {
        List<Sized> files = new ArrayList<>();
        long total = 0;
        for (CodeEntry entry : entries()) {
            try {
                BasicFileAttributes attributes =
                        Files.readAttributes(entry.path(), BasicFileAttributes.class);
                boolean last = newest.isPresent() && newest.get().equals(entry.path());
                FileTime used =
                        last ? FileTime.fromMillis(Long.MAX_VALUE) : attributes.lastModifiedTime();
                files.add(new Sized(entry.path(), attributes.size(), used));
                total += attributes.size();
            } catch (NoSuchFileException e) {
                LOGGER.atDebug()
                        .addKeyValue("path", entry.path())
                        .log("compiled code was removed meanwhile");
            }
        }
        files.sort(Comparator.comparing(Sized::used));
        for (Sized file : files) {
            if (total <= maxBytes) {
                return;
            }
            Files.deleteIfExists(file.path());
            total -= file.bytes();
        }
    }

    private void removeOthers(Path code) throws IOException {
        try (Stream<Path> others = Files.list(code)) {
            for (Path other : others.filter(path -> !path.equals(directory)).toList()) {
                removeTree(other);
                LOGGER.atInfo()
                        .addKeyValue("path", other)
                        .log("compiled code of another engine was removed");
            }
        }
    }

    private void removeStaleTemporaries() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.filter(CodeDirectory::isStale).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /// Its daemon is gone, or had our process id before us.
    private static boolean isStale(Path file) {
        Matcher matcher = TEMPORARY.matcher(String.valueOf(file.getFileName()));
        if (!matcher.matches()) {
            return false;
        }
        long pid = Long.parseLong(matcher.group(1));
        return pid == ProcessHandle.current().pid() || ProcessHandle.of(pid).isEmpty();
    }

    private static void removeTree(Path root) throws IOException {
        try (Stream<Path> tree = Files.walk(root)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
