package dev.atoll.shim.socket;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// A listening UNIX-domain socket whose file has mode 0600 and lies in a directory with mode 0700.
/// Thread-safe.
public final class UnixListener implements AutoCloseable {
    private static final int BACKLOG = 4096;

    /// sun_path in sys/un.h, with the terminating zero.
    private static final int MAX_PATH_BYTES = 107;

    private final Path path;
    private final ServerSocketChannel channel;

    private UnixListener(Path path, ServerSocketChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /// Binds `path`. A socket file that nobody answers on is replaced.
    ///
    /// @throws IOException with one line if another process answers, or `path` is no socket
    public static UnixListener bind(Path path) throws IOException {
        if (path.toString().getBytes(UTF_8).length > MAX_PATH_BYTES) {
            throw new IOException(
                    "socket path %s is too long: at most %d bytes".formatted(path, MAX_PATH_BYTES));
        }
        Path directory = path.toAbsolutePath().getParent();
        if (directory == null) {
            throw new IOException("socket path %s is no path of a file".formatted(path));
        }
        privateDirectory(directory);
        removeStale(path);
        ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.bind(UnixDomainSocketAddress.of(path), BACKLOG);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            return new UnixListener(path, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /// Makes `directory`, if need be, and closes it to others.
    public static void privateDirectory(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    }

    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
                || Files.isSymbolicLink(path)) {
            throw new IOException(
                    "%s is in the way of the daemon's socket: it is no socket; move it away"
                            .formatted(path));
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (ConnectException _) {
            Files.deleteIfExists(path);
            return;
        }
        throw new IOException(
                "another atolld answers on %s: stop it, or choose another --run-dir"
                        .formatted(path));
    }

    public Path path() {
        return path;
    }

    public ServerSocketChannel channel() {
        return channel;
    }

    /// Stops listening and removes the socket file.
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(path);
    }
}
