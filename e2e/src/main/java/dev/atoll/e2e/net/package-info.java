/// The networks of nodes and pods as clients and servers of this process see them.
@NullMarked
package dev.atoll.e2e.net;

import org.jspecify.annotations.NullMarked;
