package dev.atoll.shim.relay;

import com.google.protobuf.Any;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.oci.ContainerKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// The other shim as a program. Blocks. Thread-safe.
interface RuntimeShim {
    /// Starts the shim of a container.
    ///
    /// @param bundle where it finds `config.json`
    /// @param options of the runtime, as for `Create`
    /// @throws IOException with one line
    ShimAddress start(ContainerKey container, Path bundle, Optional<Any> options)
            throws IOException;

    /// Ends a container whose shim does not answer any more, by force, and unmounts its rootfs.
    ///
    /// @throws IOException with one line
    DeleteResponse delete(ContainerKey container, Path bundle) throws IOException;

    /// What is executed, for who has to do so without the daemon.
    ///
    /// @throws IOException with one line if there is no such program
    Path program() throws IOException;
}
