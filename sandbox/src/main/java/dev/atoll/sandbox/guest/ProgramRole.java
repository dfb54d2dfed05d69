package dev.atoll.sandbox.guest;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a program is called as.
enum ProgramRole {
    /// It runs once: `_start` or `wasi:cli/run`.
    COMMAND,
    /// It answers HTTP requests: `wasi:http/incoming-handler`. A component that is a command, too,
    /// is a server.
    SERVER,
    /// A function that was named is called once.
    FUNCTION;

    private static final String HANDLER = "wasi:http/incoming-handler@0.2.";

    /// @param exports of the compiled program
    /// @param named what the container's first argument names after `#`
    static ProgramRole of(List<String> exports, Optional<String> named) {
        if (named.isPresent()) {
            return FUNCTION;
        }
        return exports.stream().anyMatch(export -> export.startsWith(HANDLER)) ? SERVER : COMMAND;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
