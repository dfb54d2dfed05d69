package dev.atoll.oci.image;

import java.util.List;

/// The part of an image config that explains an image in messages (OCI image-spec, config.md).
/// containerd has already put `entrypoint` and `command` into the runtime spec.
public record ImageConfig(Platform platform, List<String> entrypoint, List<String> command) {
    public ImageConfig {
        entrypoint = List.copyOf(entrypoint);
        command = List.copyOf(command);
    }
}
