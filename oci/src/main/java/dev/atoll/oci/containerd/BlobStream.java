package dev.atoll.oci.containerd;

import dev.atoll.containerd.content.v1.ContentGrpc;
import dev.atoll.containerd.content.v1.ReadContentRequest;
import dev.atoll.containerd.content.v1.ReadContentResponse;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.image.Descriptor;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Objects;

/// The stored bytes of one blob as they arrive from containerd. Never gives more bytes than the
/// descriptor says; [#verify] must be called before they are trusted. Confined to one thread.
///
/// Reading throws [dev.atoll.oci.OciException], never an [IOException] of its own.
final class BlobStream extends InputStream {
    private final ContainerdChannel channel;
    private final Descriptor content;
    private final String subject;
    private final Context.CancellableContext call = Context.current().withCancellation();
    private final Iterator<ReadContentResponse> chunks;
    private final MessageDigest hash;
    private ByteBuffer chunk = ByteBuffer.allocate(0);
    private long received;

    BlobStream(
            ContainerdChannel channel,
            String namespace,
            Descriptor content,
            String subject,
            Duration deadline) {
        this.channel = channel;
        this.content = content;
        this.subject = subject;
        this.hash = hash(content);
        ContentGrpc.ContentBlockingStub stub =
                channel.stub(namespace, deadline, ContentGrpc::newBlockingStub);
        ReadContentRequest request =
                ReadContentRequest.newBuilder().setDigest(content.digest().toString()).build();
        Context previous = call.attach();
        try {
            this.chunks = stub.read(request);
        } finally {
            call.detach(previous);
        }
    }

    @Override
    public int read() {
        return fill() ? Byte.toUnsignedInt(chunk.get()) : -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int count = Math.min(length, chunk.remaining());
        chunk.get(bytes, offset, count);
        return count;
    }

    /// Not 0 before the end: a gzip reader takes 0 for the end of the last member.
    @Override
    public int available() {
        return fill() ? chunk.remaining() : 0;
    }

    /// Reads what is left and compares size and digest with the descriptor.
    void verify() {
        while (fill()) {
            chunk.position(chunk.limit());
        }
        if (received != content.size()) {
            throw new InvalidImage(
                    "%s: its descriptor says %d bytes, found %d: containerd's copy is damaged, pull the image again"
                            .formatted(subject, content.size(), received));
        }
        String found = HexFormat.of().formatHex(hash.digest());
        if (!found.equals(content.digest().hex())) {
            throw new InvalidImage(
                    "%s: expected digest %s, found %s:%s: containerd's copy is damaged, pull the image again"
                            .formatted(
                                    subject,
                                    content.digest(),
                                    content.digest().algorithm(),
                                    found));
        }
    }

    /// Ends the call if it has not ended.
    @Override
    public void close() {
        call.cancel(null);
    }

    /// @return whether `chunk` has bytes
    private boolean fill() {
        try {
            while (!chunk.hasRemaining()) {
                if (!chunks.hasNext()) {
                    return false;
                }
                chunk = chunks.next().getData().asReadOnlyByteBuffer();
                received += chunk.remaining();
                if (received > content.size()) {
                    throw new InvalidImage(
                            "%s: its descriptor says %d bytes, containerd sends more: its copy is damaged, pull the image again"
                                    .formatted(subject, content.size()));
                }
                hash.update(chunk.duplicate());
            }
            return true;
        } catch (StatusRuntimeException e) {
            throw channel.failure("reading " + subject, e);
        }
    }

    private static MessageDigest hash(Descriptor content) {
        try {
            return MessageDigest.getInstance(
                    switch (content.digest().algorithm()) {
                        case "sha256" -> "SHA-256";
                        case "sha512" -> "SHA-512";
                        default -> throw new IllegalStateException("checked by Digest");
                    });
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256 and SHA-512", e);
        }
    }
}
