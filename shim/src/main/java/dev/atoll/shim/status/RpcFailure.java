package dev.atoll.shim.status;

/// What a caller is told when its call failed.
///
/// @param message one line
public record RpcFailure(StatusCode code, String message) {}
