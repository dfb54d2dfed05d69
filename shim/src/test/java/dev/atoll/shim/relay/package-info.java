@NullMarked
package dev.atoll.shim.relay;

import org.jspecify.annotations.NullMarked;
