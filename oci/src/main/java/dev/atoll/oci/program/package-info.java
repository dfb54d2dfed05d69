/// Finds the wasm program of a container: container record, image, manifest, layer or file.
@NullMarked
package dev.atoll.oci.program;

import org.jspecify.annotations.NullMarked;
