/// Services as tables of methods, known to no transport: [dev.atoll.shim.ttrpc] and
/// [dev.atoll.shim.grpc] both serve them.
@NullMarked
package dev.atoll.shim.rpc;

import org.jspecify.annotations.NullMarked;
