package dev.atoll.e2e.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/// Content with its media type, and what a manifest says about it.
///
/// @param mediaType what the manifest calls it
/// @param bytes the content, or its beginning
/// @param zeros how many zero bytes follow, so that large content needs no memory
/// @param annotations annotations of its descriptor
@SuppressWarnings("ArrayRecordComponent") // Never compared: only pushed.
public record Blob(String mediaType, byte[] bytes, long zeros, Map<String, String> annotations) {
    /// Returns a blob without annotations.
    public static Blob of(String mediaType, byte[] bytes) {
        return new Blob(mediaType, bytes, 0, Map.of());
    }

    /// Returns how many bytes it has.
    public long size() {
        return bytes.length + zeros;
    }

    /// Opens its content.
    public InputStream open() {
        return new SequenceInputStream(new ByteArrayInputStream(bytes), new Zeros(zeros));
    }

    /// Returns the digest of its content.
    public String digest() {
        try (var content = new DigestInputStream(open(), MessageDigest.getInstance("SHA-256"))) {
            content.transferTo(OutputStream.nullOutputStream());
            return "sha256:" + HexFormat.of().formatHex(content.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        } catch (IOException e) {
            throw new UncheckedIOException("read from memory", e);
        }
    }

    /// Returns its descriptor.
    public Map<String, Object> descriptor() {
        var descriptor = new LinkedHashMap<String, Object>();
        descriptor.put("mediaType", mediaType);
        descriptor.put("digest", digest());
        descriptor.put("size", size());
        if (!annotations.isEmpty()) {
            descriptor.put("annotations", annotations);
        }
        return descriptor;
    }
}
