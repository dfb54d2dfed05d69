package dev.atoll.oci.image;

import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.json.JsonDocument;
import dev.atoll.oci.json.JsonNode;
import java.util.List;
import java.util.Optional;

/// Reads manifests, indexes and image configs, all of which are untrusted input. Stateless; each
/// method throws [InvalidImage] if the bytes are not what they are read as.
public final class ImageReader {
    /// The size up to which registries must accept manifests (OCI distribution-spec, "Pushing
    /// Manifests"); larger ones do not travel.
    public static final int MAX_BYTES = 4 << 20;

    private static final int MAX_ENTRIES = 4096;
    private static final int MAX_ANNOTATIONS = 1024;

    private ImageReader() {}

    /// @param subject how messages call the document: `manifest sha256:... of image x`
    public static Manifest manifest(byte[] bytes, String subject) {
        JsonNode json = parse(bytes, subject);
        checkVersion(json);
        return new Manifest(
                json.optionalText("artifactType"),
                descriptor(json.required("config", "an object")),
                descriptors(json, "layers"));
    }

    /// @param subject how messages call the document
    public static Index index(byte[] bytes, String subject) {
        JsonNode json = parse(bytes, subject);
        checkVersion(json);
        return new Index(descriptors(json, "manifests"));
    }

    /// @param subject how messages call the document
    public static ImageConfig config(byte[] bytes, String subject) {
        JsonNode json = parse(bytes, subject);
        Optional<JsonNode> process = json.member("config");
        return new ImageConfig(
                platform(json),
                process.map(node -> node.texts("Entrypoint", MAX_ENTRIES)).orElse(List.of()),
                process.map(node -> node.texts("Cmd", MAX_ENTRIES)).orElse(List.of()));
    }

    private static JsonNode parse(byte[] bytes, String subject) {
        return new JsonDocument(
                        subject,
                        MAX_BYTES,
                        (message, cause) ->
                                cause == null
                                        ? new InvalidImage(message)
                                        : new InvalidImage(message, cause))
                .parse(bytes);
    }

    private static void checkVersion(JsonNode json) {
        JsonNode version = json.required("schemaVersion", "the number 2");
        if (version.integer() != 2) {
            throw version.error("expected the number 2, found " + version.integer());
        }
    }

    private static List<Descriptor> descriptors(JsonNode json, String name) {
        json.required(name, "an array");
        return json.elements(name, MAX_ENTRIES).stream().map(ImageReader::descriptor).toList();
    }

    private static Descriptor descriptor(JsonNode json) {
        JsonNode size = json.required("size", "a number of bytes");
        if (size.integer() < 0) {
            throw size.error("expected a number of bytes, found " + size.integer());
        }
        return new Descriptor(
                json.requiredText("mediaType"),
                digest(json.required("digest", "a digest")),
                size.integer(),
                json.textMap("annotations", MAX_ANNOTATIONS),
                json.member("platform").map(ImageReader::platform));
    }

    private static Digest digest(JsonNode json) {
        try {
            return Digest.parse(json.text());
        } catch (InvalidImage e) {
            // Digest knows what is wrong, this knows where.
            throw json.error(String.valueOf(e.getMessage()), e);
        }
    }

    private static Platform platform(JsonNode json) {
        return new Platform(json.textOrEmpty("os"), json.textOrEmpty("architecture"));
    }
}
