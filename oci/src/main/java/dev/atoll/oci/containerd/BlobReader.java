package dev.atoll.oci.containerd;

import dev.atoll.containerd.content.v1.ContentGrpc;
import dev.atoll.containerd.content.v1.InfoRequest;
import dev.atoll.oci.ContentUnavailable;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.image.Descriptor;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/// Reads blobs under a lease, verified and bounded. Thread-safe: immutable.
final class BlobReader {
    private final ContainerdChannel channel;
    private final Leases leases;
    private final Duration deadline;

    BlobReader(ContainerdChannel channel, Leases leases, Duration deadline) {
        this.channel = channel;
        this.leases = leases;
        this.deadline = deadline;
    }

    byte[] read(String namespace, Descriptor content, String subject, int maxBytes) {
        checkSize(content.size(), subject, maxBytes);
        try (Leases.Lease _ = leases.hold(namespace, content.digest())) {
            checkStored(namespace, content, subject, maxBytes);
            try (var stored = new BlobStream(channel, namespace, content, subject, deadline)) {
                // The descriptor's size, just checked, bounds what the stream gives.
                byte[] bytes = stored.readAllBytes();
                stored.verify();
                return bytes;
            } catch (IOException e) {
                throw new IllegalStateException("BlobStream throws no IOException", e);
            }
        }
    }

    void copy(String namespace, Descriptor content, String subject, Path target, long maxBytes) {
        checkSize(content.size(), subject, maxBytes);
        try (Leases.Lease _ = leases.hold(namespace, content.digest())) {
            checkStored(namespace, content, subject, maxBytes);
            OutputStream out = create(target);
            boolean complete = false;
            try (out;
                    var stored = new BlobStream(channel, namespace, content, subject, deadline)) {
                uncompress(stored, content.mediaType(), subject, out, target, maxBytes);
                stored.verify();
                complete = true;
            } catch (IOException e) {
                complete = false;
                throw notWritten(target, e);
            } finally {
                if (!complete) {
                    remove(target);
                }
            }
        }
    }

    /// Writes the uncompressed bytes of `stored`, which stays open: what follows the compressed
    /// bytes still has to be verified.
    static void uncompress(
            InputStream stored,
            String mediaType,
            String subject,
            OutputStream out,
            Path target,
            long maxBytes) {
        byte[] buffer = new byte[64 << 10];
        long written = 0;
        try (InputStream program = Compression.undo(new Unclosed(stored), mediaType, subject)) {
            int count = program.read(buffer);
            while (count >= 0) {
                written += count;
                if (written > maxBytes) {
                    throw new InvalidImage(
                            "%s has more than %d bytes when uncompressed: at most so many are accepted, make the program smaller"
                                    .formatted(subject, maxBytes));
                }
                write(out, buffer, count, target);
                count = program.read(buffer);
            }
        } catch (IOException e) {
            throw new InvalidImage(
                    "%s is not valid gzip (%s): expected %s, push it again"
                            .formatted(subject, e.getMessage(), mediaType),
                    e);
        }
    }

    private void checkStored(String namespace, Descriptor content, String subject, long maxBytes) {
        long size =
                channel.call(
                                namespace,
                                "looking up " + subject,
                                ContentGrpc::newBlockingStub,
                                stub ->
                                        stub.info(
                                                InfoRequest.newBuilder()
                                                        .setDigest(content.digest().toString())
                                                        .build()))
                        .getInfo()
                        .getSize();
        checkSize(size, subject, maxBytes);
        if (size != content.size()) {
            throw new InvalidImage(
                    "%s: its descriptor says %d bytes, containerd has %d: push or pull the image again"
                            .formatted(subject, content.size(), size));
        }
    }

    private static void checkSize(long size, String subject, long maxBytes) {
        if (size > maxBytes) {
            throw new InvalidImage(
                    "%s has %d bytes: at most %d are accepted, make it smaller"
                            .formatted(subject, size, maxBytes));
        }
    }

    private static OutputStream create(Path target) {
        try {
            return Files.newOutputStream(
                    target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw notWritten(target, e);
        }
    }

    private static void write(OutputStream out, byte[] bytes, int count, Path target) {
        try {
            out.write(bytes, 0, count);
        } catch (IOException e) {
            throw notWritten(target, e);
        }
    }

    private static ContentUnavailable notWritten(Path target, IOException e) {
        return new ContentUnavailable(
                "writing the program to %s failed: %s: check the disk of the node"
                        .formatted(target, e),
                e);
    }

    private static void remove(Path target) {
        try {
            Files.deleteIfExists(target);
        } catch (IOException e) {
            throw notWritten(target, e);
        }
    }

    private static final class Unclosed extends FilterInputStream {
        Unclosed(InputStream in) {
            super(in);
        }

        @Override
        public void close() {}
    }
}
