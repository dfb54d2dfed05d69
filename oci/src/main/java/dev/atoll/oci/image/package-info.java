/// OCI images as data: descriptors, manifests, indexes and image configs (OCI image-spec and
/// Docker's schema 2), read within bounds, and the rules that pick an index's entry. Knows media
/// types, but not where content comes from.
@NullMarked
package dev.atoll.oci.image;

import org.jspecify.annotations.NullMarked;
