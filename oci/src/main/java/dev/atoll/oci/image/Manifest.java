package dev.atoll.oci.image;

import java.util.List;
import java.util.Optional;

/// An image manifest (OCI image-spec, manifest.md; Docker schema 2).
public record Manifest(Optional<String> artifactType, Descriptor config, List<Descriptor> layers) {
    public Manifest {
        layers = List.copyOf(layers);
    }

    public List<Descriptor> wasmLayers() {
        return layers.stream().filter(layer -> MediaTypes.isWasmLayer(layer.mediaType())).toList();
    }

    public boolean hasTarLayer() {
        return layers.stream().anyMatch(layer -> MediaTypes.isTarLayer(layer.mediaType()));
    }
}
