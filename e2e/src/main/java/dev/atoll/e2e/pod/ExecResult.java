package dev.atoll.e2e.pod;

/// How a command in a container ended and what it wrote.
public record ExecResult(int exitCode, String output, String errors) {}
