package dev.atoll.shim.task;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpec;
import java.nio.file.Path;

/// Reads the runtime spec of a container.
@FunctionalInterface
public interface BundleSpecs {
    /// @param bundle containerd's directory of the container, with `config.json`
    /// @throws dev.atoll.oci.InvalidSpec if it is missing or malformed
    RuntimeSpec read(Path bundle, ContainerKey container);
}
