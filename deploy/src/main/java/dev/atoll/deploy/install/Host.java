package dev.atoll.deploy.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// The node to be changed: its files, seen below some directory, and its programs. Immutable.
///
/// Paths of the host are absolute texts, as the host's own files and processes spell them.
///
/// @param root where the host's root directory is seen
public record Host(Path root, HostCommands commands) {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final int MOST_LINKS = 40; // as Linux

    public static Host at(Path root) {
        return new Host(root, ProcessCommands.at(root));
    }

    /// Where a path of the host is found from here. Links on the way are followed as the host would
    /// follow them, never out of the root; a link that the path itself names is not.
    public Path path(String hostPath) throws InstallFailed {
        Path parent = Path.of(hostPath).normalize().getParent();
        Path name = Path.of(hostPath).normalize().getFileName();
        return parent == null || name == null
                ? root
                : root.resolve(relative(resolved(parent.toString()))).resolve(name);
    }

    /// The path of the host without links; what does not exist is taken as it is written.
    public String resolved(String hostPath) throws InstallFailed {
        Path at = Path.of("/");
        Deque<Path> rest = new ArrayDeque<>();
        Path.of(hostPath).normalize().forEach(rest::add);
        int links = 0;
        for (Path name = rest.poll(); name != null; name = rest.poll()) {
            if (name.toString().equals("..")) {
                at = at.getParent() == null ? at : at.getParent();
                continue;
            }
            Path next = at.resolve(name);
            Path seen = root.resolve(relative(next.toString()));
            if (!Files.isSymbolicLink(seen)) {
                at = next;
                continue;
            }
            if (++links > MOST_LINKS) {
                throw new InstallFailed("%s has too many symbolic links".formatted(hostPath));
            }
            Path target = readLink(seen);
            at = target.isAbsolute() ? Path.of("/") : at;
            Deque<Path> followed = new ArrayDeque<>();
            target.forEach(followed::add);
            followed.descendingIterator().forEachRemaining(rest::push);
        }
        return at.toString();
    }

    private static Path readLink(Path link) throws InstallFailed {
        try {
            return Files.readSymbolicLink(link);
        } catch (IOException e) {
            throw new InstallFailed("cannot read link %s: %s".formatted(link, e.getMessage()), e);
        }
    }

    private static String relative(String hostPath) {
        return hostPath.substring(1);
    }

    public boolean exists(String hostPath) throws InstallFailed {
        return Files.exists(path(resolved(hostPath)), LinkOption.NOFOLLOW_LINKS);
    }

    /// @return the text of a file; empty if there is none
    public Optional<String> read(String hostPath) throws InstallFailed {
        // Not by Files.readAllBytes: settings of the kernel have no size, and it reads them in
        // pieces,
        // of which the kernel gives only the first.
        try (InputStream in = Files.newInputStream(path(resolved(hostPath)))) {
            return Optional.of(new String(in.readAllBytes(), UTF_8));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw new InstallFailed("cannot read %s: %s".formatted(hostPath, e), e);
        }
    }

    public HostCommands.Result run(String... words) throws InstallFailed {
        return commands.run(DEADLINE, List.of(words));
    }

    /// Whether a shell of the host finds a program of that name.
    public boolean has(String program) throws InstallFailed {
        return run("sh", "-c", "command -v " + program).succeeded();
    }
}
