package dev.atoll.shim.task;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.sandbox.Workload;
import java.time.Instant;

/// A workload that has been made, with what it was made from.
///
/// @param pause whether it is a pod's pause
public record MadeWorkload(Workload workload, RuntimeSpec spec, boolean pause, Instant createdAt) {}
