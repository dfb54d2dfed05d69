/// Tests on a real containerd, driven as a kubelet would.
@NullMarked
package dev.atoll.e2e;

import org.jspecify.annotations.NullMarked;
