package dev.atoll.sandbox.guest;

import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.GuestRequest;
import dev.atoll.sandbox.engine.View;

/// What the programs of one container share: its own, and the commands that are executed in it.
///
/// @param process of the container's own program
record Surroundings(GuestRequest request, ProcessSpec process, Placement placement, View view) {}
