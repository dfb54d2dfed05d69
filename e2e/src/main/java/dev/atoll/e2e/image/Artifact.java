package dev.atoll.e2e.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.GZIPOutputStream;

/// A wasm artifact to be packed: programs as layers, and a config that lets a pod run it without a
/// command.
///
/// @param configType the config's media type
/// @param layers the programs
/// @param entrypoint the config's entrypoint; none if empty
public record Artifact(String configType, List<Blob> layers, List<String> entrypoint) {
    /// The config type of wasm artifacts.
    public static final String WASM_CONFIG = "application/vnd.wasm.config.v0+json";

    /// The config type of images, which `ctr run` insists on.
    public static final String IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json";

    /// The layer type of wasm artifacts.
    public static final String WASM = "application/wasm";

    /// The layer type that older tools wrote.
    public static final String OLD_WASM = "application/vnd.wasm.content.layer.v1+wasm";

    /// The layer type of a compressed program.
    public static final String GZIPPED_WASM = "application/wasm+gzip";

    public Artifact {
        layers = List.copyOf(layers);
        entrypoint = List.copyOf(entrypoint);
    }

    /// Returns an artifact of one program that is run as `/app.wasm`.
    public static Artifact of(byte[] program) {
        return new Artifact(WASM_CONFIG, List.of(Blob.of(WASM, program)), List.of("/app.wasm"));
    }

    /// Returns this artifact with another entrypoint.
    public Artifact withEntrypoint(String... words) {
        return new Artifact(configType, layers, List.of(words));
    }

    /// Returns this artifact with another config type.
    public Artifact withConfigType(String type) {
        return new Artifact(type, layers, entrypoint);
    }

    /// Returns this artifact with other layers.
    public Artifact withLayers(Blob... other) {
        return new Artifact(configType, List.of(other), entrypoint);
    }

    /// Returns a layer with a title, by which an entrypoint picks it among several.
    public static Blob titled(String title, byte[] program) {
        return new Blob(WASM, program, 0, Map.of("org.opencontainers.image.title", title));
    }

    /// Returns the content of a blob as a gzipped layer.
    public static Blob gzipped(Blob content) {
        var bytes = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bytes);
                InputStream opened = content.open()) {
            opened.transferTo(gzip);
            gzip.finish();
        } catch (IOException e) {
            throw new UncheckedIOException("compress in memory", e);
        }
        return Blob.of(GZIPPED_WASM, bytes.toByteArray());
    }

    /// Packs it. The config has a field that no other has, since CRI takes the config's digest for
    /// the image's identity.
    public Manifest pack() {
        var json = new LinkedHashMap<String, Object>();
        json.put("architecture", "wasm");
        json.put("os", "wasip1");
        json.put("created", "2026-01-01T00:00:00Z");
        json.put("author", UUID.randomUUID().toString());
        json.put("layerDigests", layers.stream().map(Blob::digest).toList());
        if (!entrypoint.isEmpty()) {
            json.put("config", Map.of("Entrypoint", entrypoint));
        }
        json.put("rootfs", Map.of("type", "layers", "diff_ids", new ArrayList<String>()));
        return new Manifest(
                Blob.of(configType, Json.of(json).getBytes(StandardCharsets.UTF_8)), layers);
    }
}
