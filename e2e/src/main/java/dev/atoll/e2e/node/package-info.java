/// Test nodes: a private containerd, registry and network in namespaces of their own.
@NullMarked
package dev.atoll.e2e.node;

import org.jspecify.annotations.NullMarked;
