package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.InvalidWorkload;
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
    private static final String RUN = "wasi:cli/run@0.2.";

    /// @param exports of the compiled program
    /// @param named what the container's first argument names after `#`
    static ProgramRole of(List<String> exports, Optional<String> named) {
        if (named.isPresent()) {
            return FUNCTION;
        }
        return exports.stream().anyMatch(export -> export.startsWith(HANDLER)) ? SERVER : COMMAND;
    }

    /// What a command in a container calls: a server's program is called as a command, too.
    ///
    /// @param exports of the compiled program
    /// @return the exported function, empty for the program's own entry
    /// @throws InvalidWorkload if the program does nothing but serve HTTP
    static Optional<String> commandOf(
            String program, List<String> exports, Optional<String> named) {
        if (of(exports, named) != SERVER) {
            return named;
        }
        return Optional.of(
                exports.stream()
                        .filter(export -> export.startsWith(RUN))
                        .findFirst()
                        .map(run -> run + "#run")
                        .orElseThrow(() ->
                                new InvalidWorkload(
                                        "%s serves HTTP and is no command: name a function of it, as in app.wasm#name, or let it export wasi:cli/run, too"
                                                .formatted(program))));
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
