package dev.atoll.oci.image;

import dev.atoll.oci.Digest;
import java.util.Map;
import java.util.Optional;

/// Refers to content (OCI image-spec, descriptor.md).
///
/// @param size bytes of the content, never negative
/// @param platform in an index: what the entry is for
public record Descriptor(
        String mediaType,
        Digest digest,
        long size,
        Map<String, String> annotations,
        Optional<Platform> platform) {
    public Descriptor {
        annotations = Map.copyOf(annotations);
    }

    public Descriptor(String mediaType, Digest digest, long size) {
        this(mediaType, digest, size, Map.of(), Optional.empty());
    }

    /// The file name that the artifact's author gave to the layer.
    public Optional<String> title() {
        return Optional.ofNullable(annotations.get(MediaTypes.TITLE_ANNOTATION))
                .filter(title -> !title.isEmpty());
    }
}
