@NullMarked
package dev.atoll.oci.spec;

import org.jspecify.annotations.NullMarked;
