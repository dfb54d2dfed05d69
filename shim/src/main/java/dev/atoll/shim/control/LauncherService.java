package dev.atoll.shim.control;

import dev.atoll.api.v1.DeleteRequest;
import dev.atoll.api.v1.DeleteResponse;
import dev.atoll.api.v1.StartRequest;
import dev.atoll.api.v1.StartResponse;
import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.task.ExitRecord;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;

/// Answers the launcher. A container's connection says nothing of its life (a restart of containerd
/// closes them all); only the launcher's `Delete` gives it up. Thread-safe.
public final class LauncherService {
    private static final int KILLED = 137;

    private final ContainerEnds ends;
    private final ContainerdSockets sockets;
    private final Path socket;
    private final InstantSource clock;
    private final int pid;

    /// @param ends releases containers
    /// @param socket what containerd is told to dial
    /// @param pid the daemon's, as that of a container that nobody knows
    public LauncherService(
            ContainerEnds ends,
            ContainerdSockets sockets,
            Path socket,
            InstantSource clock,
            int pid) {
        this.ends = ends;
        this.sockets = sockets;
        this.socket = socket;
        this.clock = clock;
        this.pid = pid;
    }

    public RpcService endpoint() {
        return new RpcService(
                "atoll.v1.Launcher",
                List.of(
                        RpcMethod.quick(
                                "Start",
                                StartRequest.getDefaultInstance(),
                                StartResponse.getDefaultInstance(),
                                (_, request) -> start(request)),
                        RpcMethod.blocking(
                                "Delete",
                                DeleteRequest.getDefaultInstance(),
                                DeleteResponse.getDefaultInstance(),
                                (_, request) -> delete(request))));
    }

    private StartResponse start(StartRequest request) {
        ContainerKey key = new CallContext(request.getNamespace()).key(request.getId());
        if (!request.getTtrpcAddress().isEmpty()) {
            sockets.announce(key, request.getTtrpcAddress());
        }
        return StartResponse.newBuilder().setAddress("unix://" + socket).build();
    }

    private DeleteResponse delete(DeleteRequest request) {
        ContainerKey key = new CallContext(request.getNamespace()).key(request.getId());
        var end =
                ends.forget(key)
                        .orElseGet(() ->
                                ContainerEnds.end(
                                        pid, new ExitRecord(KILLED, clock.instant(), false)));
        sockets.forget(key);
        return DeleteResponse.newBuilder()
                .setPid(end.getPid())
                .setExitStatus(end.getExitStatus())
                .setExitedAt(end.getExitedAt())
                .build();
    }

    /// Remembers which containerd a container belongs to.
    public interface ContainerdSockets {
        /// @param ttrpcAddress where it takes events
        void announce(ContainerKey key, String ttrpcAddress);

        void forget(ContainerKey key);
    }
}
