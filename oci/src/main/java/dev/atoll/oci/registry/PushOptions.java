package dev.atoll.oci.registry;

import java.util.Map;
import java.util.Optional;

/// What a user may say about an artifact.
///
/// @param entrypoint the image's command: `/app.wasm`, or `/app.wasm#export`; empty: the name of
///   the first file
/// @param annotations of the manifest
public record PushOptions(
        Optional<String> entrypoint, Optional<String> author, Map<String, String> annotations) {
    public static final PushOptions DEFAULT =
            new PushOptions(Optional.empty(), Optional.empty(), Map.of());

    public PushOptions {
        annotations = Map.copyOf(annotations);
    }
}
