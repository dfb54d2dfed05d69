@NullMarked
package dev.atoll.oci.registry;

import org.jspecify.annotations.NullMarked;
