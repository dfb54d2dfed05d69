package dev.atoll.oci.containerd;

import java.util.Optional;

/// What containerd has written down about a container.
///
/// @param image the name of its image; empty if it was made from a plain root file system
public record ContainerRecord(String id, Optional<String> image) {}
