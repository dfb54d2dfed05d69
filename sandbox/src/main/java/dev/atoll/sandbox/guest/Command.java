package dev.atoll.sandbox.guest;

import dev.atoll.oci.program.WasmProgram;

/// What a command in a container turns out to be.
sealed interface Command {
    record Program(WasmProgram program) implements Command {}

    /// @param status what a shell would give: 126 or 127
    /// @param sentence why, in one line
    record Refused(int status, String sentence) implements Command {}
}
