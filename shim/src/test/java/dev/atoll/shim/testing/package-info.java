/// Fakes of what the shim builds on.
@NullMarked
package dev.atoll.shim.testing;

import org.jspecify.annotations.NullMarked;
