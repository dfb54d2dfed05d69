package dev.atoll.shim.relay;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.atoll.api.containerd.task.ConnectRequest;
import dev.atoll.api.containerd.task.ConnectResponse;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.ExecProcessRequest;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.api.containerd.task.WaitResponse;
import dev.atoll.api.containerd.types.Status;
import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.status.NotFound;
import dev.atoll.shim.ttrpc.TtrpcServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/// A shim that speaks ttrpc and runs nothing: one container with process 42, which ends with 7, or
/// with 137 when it is killed.
final class FakeRuncShim implements RuntimeShim, AutoCloseable {
    static final int PID = 42;
    static final Timestamp ENDED = Timestamp.newBuilder().setSeconds(5).build();

    final List<Message> requests = new CopyOnWriteArrayList<>();
    final List<String> deletes = new CopyOnWriteArrayList<>();
    private final List<TtrpcServer> servers = new CopyOnWriteArrayList<>();
    private final List<Responder<WaitResponse>> waiting = new CopyOnWriteArrayList<>();
    private final Path socket;
    private volatile boolean refuses;

    FakeRuncShim(Path socket) {
        this.socket = socket;
    }

    /// From now on no container can be created.
    void refuse() {
        refuses = true;
    }

    @Override
    public ShimAddress start(ContainerKey container, Path bundle, Optional<Any> options)
            throws IOException {
        servers.add(
                TtrpcServer.start(
                        socket,
                        PeerCheck.ownUserAndRoot(),
                        List.of(new RpcService("containerd.task.v3.Task", methods()))));
        return new ShimAddress("containerd.task.v3.Task", socket);
    }

    @Override
    public DeleteResponse delete(ContainerKey container, Path bundle) {
        deletes.add(container.id());
        return DeleteResponse.newBuilder()
                .setPid(PID)
                .setExitStatus(137)
                .setExitedAt(ENDED)
                .build();
    }

    @Override
    public Path program() {
        return Path.of("/bin/fake-shim");
    }

    private List<RpcMethod<?, ?>> methods() {
        return List.of(
                answered(
                        "Create",
                        CreateTaskRequest.getDefaultInstance(),
                        CreateTaskResponse.getDefaultInstance(),
                        _ -> {
                            if (refuses) {
                                throw new NotFound("OCI runtime create failed: no such program");
                            }
                            return CreateTaskResponse.newBuilder().setPid(PID).build();
                        }),
                answered(
                        "State",
                        StateRequest.getDefaultInstance(),
                        StateResponse.getDefaultInstance(),
                        request ->
                                StateResponse.newBuilder()
                                        .setId(request.getId())
                                        .setBundle("/another/bundle")
                                        .setPid(PID)
                                        .setStatus(Status.PAUSED)
                                        .build()),
                answered(
                        "Connect",
                        ConnectRequest.getDefaultInstance(),
                        ConnectResponse.getDefaultInstance(),
                        _ -> ConnectResponse.newBuilder().setTaskPid(PID).build()),
                answered(
                        "Exec",
                        ExecProcessRequest.getDefaultInstance(),
                        Empty.getDefaultInstance(),
                        _ -> Empty.getDefaultInstance()),
                answered(
                        "Kill",
                        KillRequest.getDefaultInstance(),
                        Empty.getDefaultInstance(),
                        request -> {
                            if (request.getSignal() != 9) {
                                throw new NotFound("process already finished: in runc's words");
                            }
                            end(137);
                            return Empty.getDefaultInstance();
                        }),
                answered(
                        "Delete",
                        DeleteRequest.getDefaultInstance(),
                        DeleteResponse.getDefaultInstance(),
                        _ ->
                                DeleteResponse.newBuilder()
                                        .setPid(PID)
                                        .setExitStatus(7)
                                        .setExitedAt(ENDED)
                                        .build()),
                answered(
                        "Shutdown",
                        ShutdownRequest.getDefaultInstance(),
                        Empty.getDefaultInstance(),
                        _ -> Empty.getDefaultInstance()),
                RpcMethod.deferred(
                        "Wait",
                        WaitRequest.getDefaultInstance(),
                        WaitResponse.getDefaultInstance(),
                        (_, request, responder) -> {
                            requests.add(request);
                            waiting.add(responder);
                        }));
    }

    private <Q extends Message, R extends Message> RpcMethod<Q, R> answered(
            String name, Q request, R response, Function<Q, R> answer) {
        return RpcMethod.blocking(
                name,
                request,
                response,
                (_, asked) -> {
                    requests.add(asked);
                    return answer.apply(asked);
                });
    }

    /// The container's process ends.
    void end(int status) {
        for (Responder<WaitResponse> responder : waiting) {
            responder.reply(
                    WaitResponse.newBuilder().setExitStatus(status).setExitedAt(ENDED).build());
        }
    }

    /// The shim itself ends.
    @Override
    public void close() throws IOException {
        for (TtrpcServer server : servers) {
            server.close();
        }
    }
}
