package dev.atoll.e2e.node;

/// How a command ended.
///
/// @param exitCode its exit code
/// @param output what it wrote to its standard output
/// @param errors what it wrote to its standard error
public record CommandResult(int exitCode, String output, String errors) {
    /// Returns the output of a command that succeeded.
    ///
    /// @throws IllegalStateException if it did not
    public String orThrow(String what) {
        if (exitCode != 0) {
            throw new IllegalStateException(
                    "%s: exit code %d: %s%s".formatted(what, exitCode, errors, output));
        }
        return output;
    }
}
