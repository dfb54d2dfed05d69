package dev.atoll.e2e.image;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// An image of one manifest: a config and layers.
///
/// @param config the config
/// @param layers the layers, the lowest first
public record Manifest(Blob config, List<Blob> layers) {
    /// The media type of an image manifest.
    public static final String MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json";

    /// The media type of an index.
    public static final String INDEX = "application/vnd.oci.image.index.v1+json";

    public Manifest {
        layers = List.copyOf(layers);
    }

    /// Returns the manifest as a blob.
    public Blob blob() {
        var json = new LinkedHashMap<String, Object>();
        json.put("schemaVersion", 2);
        json.put("mediaType", MEDIA_TYPE);
        json.put("config", config.descriptor());
        json.put("layers", layers.stream().map(Blob::descriptor).toList());
        return Blob.of(MEDIA_TYPE, Json.of(json).getBytes(StandardCharsets.UTF_8));
    }

    /// Returns an index that names this manifest once per platform, each `os/architecture`.
    public Blob index(List<String> platforms) {
        List<Map<String, Object>> entries = platforms.stream().map(this::entry).toList();
        var json = new LinkedHashMap<String, Object>();
        json.put("schemaVersion", 2);
        json.put("mediaType", INDEX);
        json.put("manifests", entries);
        return Blob.of(INDEX, Json.of(json).getBytes(StandardCharsets.UTF_8));
    }

    private Map<String, Object> entry(String platform) {
        String[] parts = platform.split("/", -1);
        var entry = new LinkedHashMap<>(blob().descriptor());
        entry.put("platform", Map.of("os", parts[0], "architecture", parts[1]));
        return entry;
    }
}
