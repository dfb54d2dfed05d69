package dev.atoll.sandbox.engine;

/// What guests may reach, checked and kept by the engine for as long as it lives.
///
/// @param id in the engine
public record Policy(long id) {}
