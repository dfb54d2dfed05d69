package dev.atoll.sandbox.code;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/// Hashes files as they are read.
final class Sha256 {
    private static final int CHUNK = 128 * 1024;

    private Sha256() {}

    /// More bytes than were allowed.
    static final class TooLarge extends IOException {
        private static final long serialVersionUID = 1L;

        TooLarge(long maxBytes) {
            super("more than %d bytes".formatted(maxBytes));
        }
    }

    static String of(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return of(channel, Long.MAX_VALUE);
        }
    }

    /// Reads from the channel's start.
    static String of(FileChannel source, long maxBytes) throws IOException {
        return read(source, maxBytes, ByteBuffer::remaining);
    }

    /// Copies from the channel's start; the result is the digest of exactly what was written.
    static String copy(FileChannel source, Path target, long maxBytes) throws IOException {
        try (FileChannel copy =
                FileChannel.open(
                        target,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")))) {
            return read(source, maxBytes, chunk -> writeAll(copy, chunk));
        }
    }

    private interface Sink {
        int accept(ByteBuffer chunk) throws IOException;
    }

    private static int writeAll(WritableByteChannel target, ByteBuffer chunk) throws IOException {
        int written = 0;
        while (chunk.hasRemaining()) {
            written += target.write(chunk);
        }
        return written;
    }

    private static String read(FileChannel source, long maxBytes, Sink sink) throws IOException {
        MessageDigest digest = sha256();
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
        long position = 0;
        while (source.read(chunk, position) >= 0) {
            chunk.flip();
            position += chunk.remaining();
            if (position > maxBytes) {
                throw new TooLarge(maxBytes);
            }
            digest.update(chunk.duplicate());
            sink.accept(chunk);
            chunk.clear();
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
