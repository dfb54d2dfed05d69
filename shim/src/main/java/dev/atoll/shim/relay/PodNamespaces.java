package dev.atoll.shim.relay;

import java.nio.file.Path;

/// Namespaces of one pod that are made when a native container is the first to need them. Blocks.
/// Thread-safe.
interface PodNamespaces extends AutoCloseable {
    /// @return where the pod's namespace of System V and POSIX queues is
    Path ipc();

    /// @return where the pod's host name is
    Path uts();

    /// @return where the namespace is in which containers of the pod see each other's processes
    Path pid();

    /// Containers that are in a namespace keep it, except that of processes, which ends with all
    /// that is in it.
    @Override
    void close();
}
