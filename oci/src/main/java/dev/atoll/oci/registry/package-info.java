/// Writes wasm artifacts and other manifests to a registry, for the command line and for tests. The
/// only package that may use oras-java-sdk, an optional dependency that the daemon does not have:
/// nothing else in `oci` may come in here.
@NullMarked
package dev.atoll.oci.registry;

import org.jspecify.annotations.NullMarked;
