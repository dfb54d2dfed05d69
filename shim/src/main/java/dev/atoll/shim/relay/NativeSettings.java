package dev.atoll.shim.relay;

import java.nio.file.Path;

/// How native containers are run.
///
/// @param runtime containerd's shim for runc: a path, or a name on `PATH`
/// @param launcher Atoll's own launcher, which helps with what a JVM cannot do
/// @param bundles directory of the daemon's for their bundles
/// @param containerd its gRPC socket
/// @param containerdTtrpc its socket for events
public record NativeSettings(
        String runtime, Path launcher, Path bundles, Path containerd, Path containerdTtrpc) {}
