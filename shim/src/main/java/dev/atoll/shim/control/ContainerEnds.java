package dev.atoll.shim.control;

import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.task.ExitRecord;
import dev.atoll.shim.task.Timestamps;
import java.util.Optional;

/// Releases containers that containerd has given up, whatever their state. May block for some
/// seconds. Thread-safe.
@FunctionalInterface
public interface ContainerEnds {
    /// @return how it ended; empty if it is not known
    Optional<DeleteResponse> forget(ContainerKey key);

    static DeleteResponse end(int pid, ExitRecord exit) {
        return DeleteResponse.newBuilder()
                .setPid(pid)
                .setExitStatus(exit.status())
                .setExitedAt(Timestamps.of(exit.at()))
                .build();
    }
}
