/// UNIX-domain listening sockets that only the daemon's own user and root may use.
@NullMarked
package dev.atoll.shim.socket;

import org.jspecify.annotations.NullMarked;
