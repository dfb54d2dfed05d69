/// What to run: digests, descriptors, images and the wasm program inside them. Knows nothing of
/// sandboxes or the shim.
@NullMarked
package dev.atoll.oci;

import org.jspecify.annotations.NullMarked;
