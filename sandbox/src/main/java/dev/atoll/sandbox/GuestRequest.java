package dev.atoll.sandbox;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.RuntimeSpec;
import java.nio.file.Path;
import java.util.List;

/// Everything a guest is made of.
///
/// @param bundle containerd's bundle directory; `spec.root().path()` is relative to it
/// @param rootfs may be empty: then the root directory is used as it is
public record GuestRequest(
        ContainerKey container,
        Path bundle,
        List<RootfsMount> rootfs,
        RuntimeSpec spec,
        Stdio stdio,
        WasmProgram program) {
    public GuestRequest {
        rootfs = List.copyOf(rootfs);
    }
}
