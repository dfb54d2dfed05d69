package dev.atoll.e2e.image;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/// Content with its media type, and what a manifest says about it.
///
/// @param mediaType what the manifest calls it
/// @param bytes the content
/// @param annotations annotations of its descriptor
@SuppressWarnings("ArrayRecordComponent") // Never compared: only pushed.
public record Blob(String mediaType, byte[] bytes, Map<String, String> annotations) {
    /// Returns a blob without annotations.
    public static Blob of(String mediaType, byte[] bytes) {
        return new Blob(mediaType, bytes, Map.of());
    }

    /// Returns the digest of its content.
    public String digest() {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return "sha256:" + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    /// Returns its descriptor.
    public Map<String, Object> descriptor() {
        var descriptor = new LinkedHashMap<String, Object>();
        descriptor.put("mediaType", mediaType);
        descriptor.put("digest", digest());
        descriptor.put("size", bytes.length);
        if (!annotations.isEmpty()) {
            descriptor.put("annotations", annotations);
        }
        return descriptor;
    }
}
