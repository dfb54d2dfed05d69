package dev.atoll.shim.relay;

import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpec;
import java.time.Instant;

/// A native container as it is at a moment.
///
/// @param state as the other shim told it
public record RelayedContainer(
        ContainerKey key, RuntimeSpec spec, Instant createdAt, StateResponse state) {}
