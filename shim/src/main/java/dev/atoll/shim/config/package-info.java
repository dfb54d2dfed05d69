/// The node's configuration, `/etc/atoll/config.toml`. Loads its TOML library only where there is a
/// file, since the daemon's start is waited for.
@NullMarked
package dev.atoll.shim.config;

import org.jspecify.annotations.NullMarked;
