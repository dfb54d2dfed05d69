package dev.atoll.shim.task;

import dev.atoll.oci.ContainerKey;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.Stdio;
import java.util.List;

/// What containerd said of a process when it had it created: a container's own, or one that is
/// executed in the container.
///
/// @param execId empty for the container's own
public record TaskConfig(
        ContainerKey key,
        String execId,
        String bundle,
        List<RootfsMount> rootfs,
        Stdio stdio,
        boolean terminal,
        String checkpoint) {
    public TaskConfig {
        rootfs = List.copyOf(rootfs);
    }

    public boolean isExec() {
        return !execId.isEmpty();
    }

    /// As messages call it.
    String words() {
        return isExec()
                ? "exec %s of container %s".formatted(execId, key.id())
                : "container " + key.id();
    }
}
