package dev.atoll.oci.program;

import dev.atoll.oci.image.Manifest;

/// An image's manifest and what else a message about it says.
///
/// @param platform ` for linux/amd64`, or empty where it does not matter
record ResolvedImage(Manifest manifest, String platform) {}
