package dev.atoll.oci.program;

import dev.atoll.oci.ContainerKey;

/// Finds the program of a container. Thread-safe; may block for as long as containerd takes to
/// answer.
public interface ProgramFinder {
    /// @param firstArgument `process.args[0]` of the runtime spec
    /// @throws dev.atoll.oci.OciException with one line for the user
    WasmProgram find(ContainerKey container, String firstArgument);
}
