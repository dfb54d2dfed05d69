/// How containerd drives guests: the daemon's entry point and its parts put together.
@NullMarked
package dev.atoll.shim;

import org.jspecify.annotations.NullMarked;
