package dev.atoll.shim.relay;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import dev.atoll.api.containerd.task.CloseIORequest;
import dev.atoll.api.containerd.task.ConnectRequest;
import dev.atoll.api.containerd.task.ConnectResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.PidsRequest;
import dev.atoll.api.containerd.task.PidsResponse;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.api.containerd.task.WaitResponse;
import dev.atoll.api.containerd.types.ProcessInfo;
import dev.atoll.api.containerd.types.Status;
import java.util.Optional;

/// What is answered for a container whose shim has ended: that the container has, too. Stateless.
final class LostAnswers {
    private LostAnswers() {}

    /// @return empty where there is nothing to act on any more
    static Optional<MessageLite> of(DeleteResponse last, String bundle, Message request) {
        return switch (request) {
            case WaitRequest wait when wait.getExecId().isEmpty() ->
                    Optional.of(
                            WaitResponse.newBuilder()
                                    .setExitStatus(last.getExitStatus())
                                    .setExitedAt(last.getExitedAt())
                                    .build());
            case StateRequest state when state.getExecId().isEmpty() ->
                    Optional.of(
                            StateResponse.newBuilder()
                                    .setId(state.getId())
                                    .setBundle(bundle)
                                    .setPid(pid(last))
                                    .setStatus(Status.STOPPED)
                                    .setExitStatus(last.getExitStatus())
                                    .setExitedAt(last.getExitedAt())
                                    .build());
            case DeleteRequest delete when delete.getExecId().isEmpty() -> Optional.of(last);
            case ConnectRequest _ ->
                    Optional.of(
                            ConnectResponse.newBuilder()
                                    .setShimPid(own())
                                    .setTaskPid(pid(last))
                                    .build());
            case PidsRequest _ ->
                    Optional.of(
                            PidsResponse.newBuilder()
                                    .addProcesses(ProcessInfo.newBuilder().setPid(pid(last)))
                                    .build());
            case ShutdownRequest _, CloseIORequest _ -> Optional.of(Empty.getDefaultInstance());
            default -> Optional.empty();
        };
    }

    /// containerd takes a task without a pid for one that never was.
    private static int pid(DeleteResponse last) {
        return last.getPid() == 0 ? own() : last.getPid();
    }

    private static int own() {
        return Math.toIntExact(ProcessHandle.current().pid());
    }
}
