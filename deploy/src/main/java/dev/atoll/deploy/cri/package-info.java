/// The Container Runtime Interface as a client speaks it over containerd's socket.
@NullMarked
package dev.atoll.deploy.cri;

import org.jspecify.annotations.NullMarked;
