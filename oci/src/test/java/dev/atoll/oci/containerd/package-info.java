@NullMarked
package dev.atoll.oci.containerd;

import org.jspecify.annotations.NullMarked;
