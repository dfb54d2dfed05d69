@NullMarked
package dev.atoll.oci;

import org.jspecify.annotations.NullMarked;
