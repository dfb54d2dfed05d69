package dev.atoll.shim.task;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import dev.atoll.api.containerd.task.CheckpointTaskRequest;
import dev.atoll.api.containerd.task.CloseIORequest;
import dev.atoll.api.containerd.task.ConnectRequest;
import dev.atoll.api.containerd.task.ConnectResponse;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.ExecProcessRequest;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.PauseRequest;
import dev.atoll.api.containerd.task.PidsRequest;
import dev.atoll.api.containerd.task.PidsResponse;
import dev.atoll.api.containerd.task.ResizePtyRequest;
import dev.atoll.api.containerd.task.ResumeRequest;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StartRequest;
import dev.atoll.api.containerd.task.StartResponse;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.StatsRequest;
import dev.atoll.api.containerd.task.StatsResponse;
import dev.atoll.api.containerd.task.UpdateTaskRequest;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.api.containerd.task.WaitResponse;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.status.Unimplemented;
import java.util.List;

/// The Task service as containerd names it: versions 2 and 3 differ in the name only. Stateless.
public final class TaskEndpoints {
    private static final Empty NOTHING = Empty.getDefaultInstance();

    private TaskEndpoints() {}

    public static List<RpcService> of(TaskService service) {
        List<RpcMethod<?, ?>> methods = methods(service);
        return List.of(
                new RpcService("containerd.task.v2.Task", methods),
                new RpcService("containerd.task.v3.Task", methods));
    }

    private static List<RpcMethod<?, ?>> methods(TaskService service) {
        return List.of(
                RpcMethod.quick(
                        "State",
                        StateRequest.getDefaultInstance(),
                        StateResponse.getDefaultInstance(),
                        service::state),
                RpcMethod.blocking(
                        "Create",
                        CreateTaskRequest.getDefaultInstance(),
                        CreateTaskResponse.getDefaultInstance(),
                        service::create),
                RpcMethod.blocking(
                        "Start",
                        StartRequest.getDefaultInstance(),
                        StartResponse.getDefaultInstance(),
                        service::start),
                RpcMethod.blocking(
                        "Delete",
                        DeleteRequest.getDefaultInstance(),
                        DeleteResponse.getDefaultInstance(),
                        (context, request) -> {
                            awaitKills(context);
                            return service.delete(context, request);
                        }),
                RpcMethod.quick(
                        "Pids",
                        PidsRequest.getDefaultInstance(),
                        PidsResponse.getDefaultInstance(),
                        service::pids),
                new RpcMethod<>(
                        "Kill",
                        KillRequest.getDefaultInstance(),
                        NOTHING,
                        false,
                        (context, request, responder) -> {
                            context.session().killBegins();
                            try {
                                responder.reply(service.kill(context, request));
                            } finally {
                                context.session().killAnswered();
                            }
                        }),
                RpcMethod.blocking(
                        "CloseIO", CloseIORequest.getDefaultInstance(), NOTHING, service::closeIo),
                RpcMethod.deferred(
                        "Wait",
                        WaitRequest.getDefaultInstance(),
                        WaitResponse.getDefaultInstance(),
                        service::await),
                RpcMethod.quick(
                        "Stats",
                        StatsRequest.getDefaultInstance(),
                        StatsResponse.getDefaultInstance(),
                        service::stats),
                RpcMethod.quick(
                        "Connect",
                        ConnectRequest.getDefaultInstance(),
                        ConnectResponse.getDefaultInstance(),
                        service::connect),
                RpcMethod.blocking(
                        "Shutdown",
                        ShutdownRequest.getDefaultInstance(),
                        NOTHING,
                        service::shutdown),
                refused(
                        "Pause",
                        PauseRequest.getDefaultInstance(),
                        "pausing a WebAssembly guest is not supported"),
                refused(
                        "Resume",
                        ResumeRequest.getDefaultInstance(),
                        "resuming a WebAssembly guest is not supported"),
                refused(
                        "Checkpoint",
                        CheckpointTaskRequest.getDefaultInstance(),
                        "checkpoints of WebAssembly guests are not supported"),
                RpcMethod.blocking(
                        "Exec", ExecProcessRequest.getDefaultInstance(), NOTHING, service::exec),
                RpcMethod.blocking(
                        "ResizePty",
                        ResizePtyRequest.getDefaultInstance(),
                        NOTHING,
                        service::resizePty),
                RpcMethod.quick(
                        "Update",
                        UpdateTaskRequest.getDefaultInstance(),
                        NOTHING,
                        service::update));
    }

    private static <Q extends Message> RpcMethod<Q, Empty> refused(
            String name, Q request, String sentence) {
        return RpcMethod.quick(
                name,
                request,
                NOTHING,
                (_, _) -> {
                    throw new Unimplemented(sentence);
                });
    }

    private static void awaitKills(CallContext context) {
        try {
            context.session().awaitKills();
        } catch (InterruptedException e) {
            // The daemon ends: whether an answer is lost does not matter any more.
            Thread.currentThread().interrupt();
        }
    }
}
