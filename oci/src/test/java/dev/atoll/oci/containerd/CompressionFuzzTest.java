package dev.atoll.oci.containerd;

import static org.assertj.core.api.Assertions.fail;

import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.Mutations;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

final class CompressionFuzzTest {
    @Test
    void brokenGzipGivesBytesOrInvalidImage() throws IOException {
        byte[] plain = new byte[600];
        new Random(3).nextBytes(plain);
        var compressed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(compressed)) {
            gzip.write(plain);
            gzip.write(new byte[2000]);
        }
        byte[] valid = compressed.toByteArray();
        var mutations = new Mutations(4);
        for (int i = 0; i < 10_000; i++) {
            byte[] bytes = mutations.of(valid);
            try {
                BlobReader.uncompress(
                        new ByteArrayInputStream(bytes),
                        "application/wasm+gzip",
                        "it",
                        OutputStream.nullOutputStream(),
                        Path.of("unused"),
                        1_000_000);
            } catch (InvalidImage e) {
                if (String.valueOf(e.getMessage()).contains("\n")) {
                    fail("two lines: %s", e.getMessage());
                }
            } catch (RuntimeException e) {
                fail(HexFormat.of().formatHex(bytes), e);
            }
        }
    }
}
