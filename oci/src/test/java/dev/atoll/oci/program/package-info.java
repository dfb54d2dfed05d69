@NullMarked
package dev.atoll.oci.program;

import org.jspecify.annotations.NullMarked;
