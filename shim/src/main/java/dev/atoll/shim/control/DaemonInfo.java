package dev.atoll.shim.control;

import java.time.Instant;
import java.util.function.Supplier;

/// What the daemon says of itself.
///
/// @param engine JSON of the engine, asked for each time
public record DaemonInfo(String version, int pid, Instant startedAt, Supplier<String> engine) {}
