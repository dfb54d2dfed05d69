package dev.atoll.sandbox.engine;

import java.nio.file.Path;

/// The engine as it is now.
///
/// @param library the loaded file
/// @param wasmtime its version
/// @param compatibility names everything that compiled code depends on
/// @param slots how many guests can live at once
/// @param live how many do
/// @param memoryLimit bytes for all guests together; 0: none
/// @param memoryUsed bytes of all guests together
public record EngineInfo(
        Path library,
        String wasmtime,
        String compatibility,
        long slots,
        long live,
        long modules,
        long views,
        long memoryLimit,
        long memoryUsed) {}
