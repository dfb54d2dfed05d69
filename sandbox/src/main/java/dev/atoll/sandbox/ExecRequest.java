package dev.atoll.sandbox;

import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;

/// A command that is to run in a container, beside its own program.
///
/// @param id of the exec, for messages
public record ExecRequest(String id, ProcessSpec process, Stdio stdio) {}
