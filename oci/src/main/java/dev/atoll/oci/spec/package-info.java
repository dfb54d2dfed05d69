/// The OCI runtime specification's `config.json` as immutable records: the part of it that Atoll
/// acts on.
@NullMarked
package dev.atoll.oci.spec;

import org.jspecify.annotations.NullMarked;
