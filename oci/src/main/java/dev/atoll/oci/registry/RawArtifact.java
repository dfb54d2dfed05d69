package dev.atoll.oci.registry;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A manifest to push, taken literally: any config and layers, also ones that nobody can run.
public record RawArtifact(
        Optional<String> artifactType,
        Blob config,
        List<Blob> layers,
        Map<String, String> annotations) {
    public RawArtifact {
        layers = List.copyOf(layers);
        annotations = Map.copyOf(annotations);
    }

    public RawArtifact(Blob config, List<Blob> layers) {
        this(Optional.empty(), config, layers, Map.of());
    }
}
