package dev.atoll.sandbox;

/// @param kind `pause`, `module` or `component`
/// @param role what the program is called as: `command`, `server` or `function`; empty for a pause
/// @param program digest or path of the program; empty for a pause
/// @param codeCacheHit whether compiled code was found, in memory or on disk
public record WorkloadDescription(String kind, String role, String program, boolean codeCacheHit) {}
