package dev.atoll.e2e.image;

import com.google.gson.Gson;
import dev.atoll.oci.image.MediaTypes;
import dev.atoll.oci.registry.Blob;
import dev.atoll.oci.registry.RawArtifact;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// A wasm artifact to be packed: programs as layers, and a config that lets a pod run it without a
/// command. Anything may be wrong with it.
///
/// @param configType the config's media type
/// @param layers the programs
/// @param entrypoint the config's entrypoint; none if empty
public record Artifact(String configType, List<Blob> layers, List<String> entrypoint) {
    public Artifact {
        layers = List.copyOf(layers);
        entrypoint = List.copyOf(entrypoint);
    }

    /// Returns an artifact of one program that is run as `/app.wasm`.
    public static Artifact of(Path program) {
        return new Artifact(
                MediaTypes.WASM_CONFIG,
                List.of(layer(MediaTypes.WASM_LAYER, program)),
                List.of("/app.wasm"));
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

    /// Returns a layer.
    public static Blob layer(String mediaType, Path content) {
        return new Blob.InFile(mediaType, Map.of(), content);
    }

    /// Returns a layer with a title, by which an entrypoint picks it among several.
    public static Blob titled(String title, Path program) {
        return new Blob.InFile(
                MediaTypes.WASM_LAYER, Map.of(MediaTypes.TITLE_ANNOTATION, title), program);
    }

    /// Returns a layer whose program is compressed.
    public static Blob gzipped(Path program) {
        return layer(MediaTypes.WASM_LAYER + "+gzip", Content.gzip(program));
    }

    /// Packs it. The config has a field that no other has, since CRI takes the config's digest for
    /// the image's identity.
    RawArtifact pack() {
        var json = new LinkedHashMap<String, Object>();
        json.put("architecture", "wasm");
        json.put("os", "wasip1");
        json.put("created", "2026-01-01T00:00:00Z");
        json.put("author", UUID.randomUUID().toString());
        if (!entrypoint.isEmpty()) {
            json.put("config", Map.of("Entrypoint", entrypoint));
        }
        json.put("rootfs", Map.of("type", "layers", "diff_ids", List.of()));
        return new RawArtifact(
                new Blob.Text(configType, Map.of(), new Gson().toJson(json)), layers);
    }
}
