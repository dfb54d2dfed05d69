package dev.atoll.shim.relay;

import java.io.IOException;
import java.nio.file.Path;

/// Knows the namespaces that the daemon is in, which are the node's.
@FunctionalInterface
interface HostNamespaces {
    /// Whether `path` leads to the node's own namespace of a type.
    ///
    /// @param type as in a runtime spec: `network`, `pid`, ..
    /// @throws IOException if there is nothing at `path`
    boolean contain(String type, Path path) throws IOException;
}
