@NullMarked
package dev.atoll.oci.image;

import org.jspecify.annotations.NullMarked;
