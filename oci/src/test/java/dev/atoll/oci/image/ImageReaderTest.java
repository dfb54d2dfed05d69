package dev.atoll.oci.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.Mutations;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ImageReaderTest {
    private static final String DIGEST = "sha256:" + "a".repeat(64);
    private static final String MANIFEST =
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"x",
             "config":{"mediaType":"c","digest":"%1$s","size":2},
             "layers":[{"mediaType":"application/wasm","digest":"%1$s","size":8,
               "annotations":{"org.opencontainers.image.title":"app.wasm"}}]}
            """
                    .formatted(DIGEST);
    private static final String INDEX =
            """
            {"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"%s","size":3,
              "platform":{"os":"wasip1","architecture":"wasm"}}]}
            """
                    .formatted(DIGEST);

    @Test
    void manifestIsReadIntoItsRecords() {
        assertThat(ImageReader.manifest(bytes(MANIFEST), "m"))
                .isEqualTo(
                        new Manifest(
                                Optional.of("x"),
                                new Descriptor("c", Digest.parse(DIGEST), 2),
                                List.of(
                                        new Descriptor(
                                                "application/wasm",
                                                Digest.parse(DIGEST),
                                                8,
                                                Map.of(
                                                        "org.opencontainers.image.title",
                                                        "app.wasm"),
                                                Optional.empty()))));
    }

    @Test
    void configIsReadAsFarAsItIsNeeded() {
        String text =
                "{\"os\":\"linux\",\"architecture\":\"arm64\",\"config\":{\"Entrypoint\":[\"/a\"],\"Cmd\":null}}";

        assertThat(ImageReader.config(bytes(text), "c"))
                .isEqualTo(
                        new ImageConfig(new Platform("linux", "arm64"), List.of("/a"), List.of()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"schemaVersion\":2 | \"schemaVersion\":1 | schemaVersion: expected the number 2, found 1",
                "\"schemaVersion\":2, | '' | schemaVersion: expected the number 2, found nothing",
                "\"size\":8 | \"size\":-8 | layers[0].size: expected a number of bytes, found -8",
                "\"size\":2 | \"size\":\"2\" | config.size: expected an integer, found a string",
                "\"layers\":[ | \"layer\":[ | layers: expected an array, found nothing",
                "\"digest\":\"sha256: | \"digest\":\"md5: | config.digest: digest algorithm \"md5\" is not supported: expected sha256 or sha512",
            })
    void wrongValueIsNamedByItsPath(String right, String wrong, String message) {
        assertThatThrownBy(() -> ImageReader.manifest(bytes(MANIFEST.replace(right, wrong)), "it"))
                .isInstanceOf(InvalidImage.class)
                .hasMessage("it: " + message);
    }

    @Test
    void tooLargeManifestIsRefused() {
        assertThatThrownBy(() -> ImageReader.manifest(new byte[(4 << 20) + 1], "it"))
                .isInstanceOf(InvalidImage.class)
                .hasMessage("it: the document has 4194305 bytes: at most 4194304 are accepted");
    }

    @Test
    void brokenDocumentsGiveARecordOrInvalidImage() {
        var mutations = new Mutations(2);
        for (int i = 0; i < 10_000; i++) {
            byte[] manifest = mutations.of(bytes(MANIFEST));
            byte[] index = mutations.of(bytes(INDEX));
            attempt(() -> ImageReader.manifest(manifest, "m"), manifest);
            attempt(() -> ImageReader.index(index, "i").candidates(Platform.host()), index);
            attempt(() -> ImageReader.config(index, "c"), index);
        }
    }

    private static void attempt(Runnable parse, byte[] bytes) {
        try {
            parse.run();
        } catch (InvalidImage e) {
            if (String.valueOf(e.getMessage()).contains("\n")) {
                fail("two lines: %s", e.getMessage());
            }
        } catch (RuntimeException e) {
            fail(new String(bytes, StandardCharsets.UTF_8), e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
