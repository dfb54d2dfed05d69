/// containerd's lean RPC over UNIX-domain sockets: frames, the server with its one loop thread, and
/// a client. Knows no service.
@NullMarked
package dev.atoll.shim.ttrpc;

import org.jspecify.annotations.NullMarked;
