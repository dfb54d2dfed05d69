/// What the launcher `containerd-shim-wasmtime-v1` and the command line ask of the daemon.
@NullMarked
package dev.atoll.shim.control;

import org.jspecify.annotations.NullMarked;
