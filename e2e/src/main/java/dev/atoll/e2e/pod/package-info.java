/// Pods and containers, driven as a kubelet drives them.
@NullMarked
package dev.atoll.e2e.pod;

import org.jspecify.annotations.NullMarked;
