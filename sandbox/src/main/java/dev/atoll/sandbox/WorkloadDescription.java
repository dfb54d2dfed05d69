package dev.atoll.sandbox;

/// @param kind `pause`, `module` or `component`
/// @param program digest or path of the program; empty for a pause
/// @param codeCacheHit whether compiled code was found, in memory or on disk
public record WorkloadDescription(String kind, String program, boolean codeCacheHit) {}
