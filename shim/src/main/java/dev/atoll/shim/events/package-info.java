/// Carries task events to containerd, in order, without ever holding up a guest or an RPC.
@NullMarked
package dev.atoll.shim.events;

import org.jspecify.annotations.NullMarked;
