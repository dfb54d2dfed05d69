/// Status codes of the RPC systems, the exceptions that carry them and the one place that maps
/// exceptions to codes. Everybody in the shim comes in.
@NullMarked
package dev.atoll.shim.status;

import org.jspecify.annotations.NullMarked;
