package dev.atoll.oci.program;

import java.util.Objects;
import java.util.Optional;

/// What a container's first argument says: `/app.wasm`, or `/app.wasm#name` to call the exported
/// function `name`.
///
/// @param path the part before `#`; what it means depends on the image ([WasmProgram])
/// @param export the part after the last `#`, never empty
public record Entrypoint(String path, Optional<String> export) {
    public Entrypoint {
        Objects.requireNonNull(path, "path");
        Objects.requireNonNull(export, "export");
    }

    public static Entrypoint parse(String firstArgument) {
        int hash = firstArgument.lastIndexOf('#');
        if (hash < 0 || hash == firstArgument.length() - 1) {
            return new Entrypoint(firstArgument, Optional.empty());
        }
        return new Entrypoint(
                firstArgument.substring(0, hash), Optional.of(firstArgument.substring(hash + 1)));
    }
}
