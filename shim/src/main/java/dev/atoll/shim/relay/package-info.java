/// Containers of a pod that are not WebAssembly: each is handed to containerd's own shim for runc,
/// and every call for it is passed on. Whatever would show such a container the node, since the
/// pod's pause has no process of its own, is replaced before.
@NullMarked
package dev.atoll.shim.relay;

import org.jspecify.annotations.NullMarked;
