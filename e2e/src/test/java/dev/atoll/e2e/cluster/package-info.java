/// Tests on a real Kubernetes: a kubelet, an API server and the controllers, not only containerd.
@NullMarked
package dev.atoll.e2e.cluster;

import org.jspecify.annotations.NullMarked;
