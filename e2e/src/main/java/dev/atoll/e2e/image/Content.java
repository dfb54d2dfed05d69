package dev.atoll.e2e.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;

/// Files with made-up content, to be pushed. They go when this process ends.
public final class Content {
    private Content() {}

    /// Returns a file that holds the bytes.
    public static Path of(byte[] bytes) {
        try {
            return Files.write(temporary(), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("write a file to push", e);
        }
    }

    /// Returns a file of the given size that begins with the bytes and goes on with zeros, which
    /// take no room on the disk.
    public static Path sparse(byte[] beginning, long size) {
        Path file = of(beginning);
        try (var opened = new RandomAccessFile(file.toFile(), "rw")) {
            opened.setLength(size);
        } catch (IOException e) {
            throw new UncheckedIOException("make " + file + " longer", e);
        }
        return file;
    }

    /// Returns a file with the content of another, compressed.
    public static Path gzip(Path plain) {
        try {
            Path file = temporary();
            try (var gzip = new GZIPOutputStream(Files.newOutputStream(file))) {
                Files.copy(plain, gzip);
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("compress " + plain, e);
        }
    }

    /// Returns the digest of a file, as `sha256:` and hexadecimal digits.
    public static String digest(Path file) {
        try (InputStream opened = Files.newInputStream(file);
                var read = new DigestInputStream(opened, MessageDigest.getInstance("SHA-256"))) {
            read.transferTo(OutputStream.nullOutputStream());
            return "sha256:" + HexFormat.of().formatHex(read.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }

    private static Path temporary() throws IOException {
        Path file = Files.createTempFile("atoll-content", "");
        file.toFile().deleteOnExit();
        return file;
    }
}
