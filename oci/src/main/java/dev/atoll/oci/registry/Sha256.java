package dev.atoll.oci.registry;

import dev.atoll.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Makes digests of what is pushed.
final class Sha256 {
    private Sha256() {}

    static Digest of(byte[] bytes) {
        return digest(hash(), bytes);
    }

    static Digest of(Path file) throws IOException {
        MessageDigest hash = hash();
        byte[] buffer = new byte[64 << 10];
        try (InputStream in = Files.newInputStream(file)) {
            int count = in.read(buffer);
            while (count >= 0) {
                hash.update(buffer, 0, count);
                count = in.read(buffer);
            }
        }
        return digest(hash, new byte[0]);
    }

    private static Digest digest(MessageDigest hash, byte[] rest) {
        return new Digest("sha256", HexFormat.of().formatHex(hash.digest(rest)));
    }

    private static MessageDigest hash() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
