package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.code.CacheLimits;
import dev.atoll.sandbox.engine.EngineOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// @param library of the engine; empty: the property `atoll.engine.library`, else beside the jar
/// @param stateDirectory where compiled code is kept; only the daemon's user may write there
/// @param settings of the node's operator
/// @param closeDeadline how long [WasmSandbox#close] waits for killed guests
public record SandboxConfig(
        Optional<Path> library,
        Path stateDirectory,
        EngineOptions engine,
        CacheLimits code,
        NodeSettings settings,
        Duration closeDeadline) {
    public static SandboxConfig in(Path stateDirectory) {
        return new SandboxConfig(
                Optional.empty(),
                stateDirectory,
                EngineOptions.DEFAULTS,
                CacheLimits.DEFAULTS,
                NodeSettings.DEFAULTS,
                Duration.ofSeconds(10));
    }

    public SandboxConfig withLibrary(Optional<Path> file) {
        return new SandboxConfig(file, stateDirectory, engine, code, settings, closeDeadline);
    }

    public SandboxConfig withSettings(NodeSettings other) {
        return new SandboxConfig(library, stateDirectory, engine, code, other, closeDeadline);
    }
}
