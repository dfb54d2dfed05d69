package dev.atoll.shim.task;

import dev.atoll.oci.ContainerKey;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.Stdio;
import java.util.List;

/// What containerd said of a task when it had it created.
public record TaskConfig(
        ContainerKey key,
        String bundle,
        List<RootfsMount> rootfs,
        Stdio stdio,
        boolean terminal,
        String checkpoint) {
    public TaskConfig {
        rootfs = List.copyOf(rootfs);
    }
}
