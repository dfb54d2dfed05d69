package dev.atoll.oci.containerd;

import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.image.MediaTypes;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/// Undoes the compression of a layer: gzip by its media type or, since some tools forget the
/// suffix, by its first bytes (RFC 1952). Anything else is refused in words. Stateless.
final class Compression {
    private static final byte[] GZIP_MAGIC = {0x1f, (byte) 0x8b};

    /// RFC 8878, section 3.1.1.
    private static final byte[] ZSTD_MAGIC = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};

    private Compression() {}

    /// @return the uncompressed bytes; reading them throws [IOException] where the compressed ones
    ///   are broken
    /// @throws InvalidImage if the layer is compressed by anything but gzip
    static InputStream undo(InputStream stored, String mediaType, String subject)
            throws IOException {
        var bytes = new BufferedInputStream(stored, 64 << 10);
        boolean gzip = MediaTypes.isGzip(mediaType);
        int suffix = mediaType.lastIndexOf('+');
        if (MediaTypes.isZstd(mediaType) || startsWith(bytes, ZSTD_MAGIC)) {
            throw new InvalidImage(
                    "%s is compressed by zstd: expected an uncompressed layer or gzip, push it so"
                            .formatted(subject));
        }
        if (!gzip && suffix >= 0 && !mediaType.endsWith("+wasm")) {
            throw new InvalidImage(
                    "%s is compressed by %s: expected an uncompressed layer or gzip, push it so"
                            .formatted(subject, OneLine.of(mediaType.substring(suffix + 1))));
        }
        return gzip || startsWith(bytes, GZIP_MAGIC) ? new GZIPInputStream(bytes, 64 << 10) : bytes;
    }

    private static boolean startsWith(BufferedInputStream bytes, byte[] magic) throws IOException {
        bytes.mark(magic.length);
        byte[] start = bytes.readNBytes(magic.length);
        bytes.reset();
        return Arrays.equals(start, magic);
    }
}
