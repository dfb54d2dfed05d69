package dev.atoll.shim.relay;

import com.google.protobuf.Message;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.sandbox.NativeProgram;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import java.util.List;
import java.util.Optional;

/// Stands before containerd's Task services: calls for native containers go to their relays, all
/// others to the tasks of the daemon. Immutable.
public final class RelayRouter {
    private final Relays relays;

    public RelayRouter(Relays relays) {
        this.relays = relays;
    }

    public List<RpcService> before(List<RpcService> services) {
        return services.stream()
                .map(service ->
                        new RpcService(
                                service.name(),
                                service.methods().stream()
                                        .<RpcMethod<?, ?>>map(this::routed)
                                        .toList()))
                .toList();
    }

    private <Q extends Message, R extends Message> RpcMethod<Q, R> routed(RpcMethod<Q, R> method) {
        return new RpcMethod<>(
                method.name(),
                method.request(),
                method.response(),
                method.quick(),
                (context, request, responder) -> route(method, context, request, responder));
    }

    private <Q extends Message, R extends Message> void route(
            RpcMethod<Q, R> method, CallContext context, Q request, Responder<R> responder) {
        Optional<Relay> relay = relays.find(context, Relays.id(request));
        if (relay.isPresent()) {
            if (request instanceof CreateTaskRequest) {
                throw relay.get().exists();
            }
            relay.get().call(method, request, responder);
            return;
        }
        try {
            method.handler().handle(context, request, responder);
        } catch (NativeProgram program) {
            if (!(request instanceof CreateTaskRequest create)) {
                throw program;
            }
            CreateTaskResponse created = relays.create(context, create, responder);
            // The response of the method whose request this is.
            @SuppressWarnings("unchecked")
            R response = (R) created;
            responder.reply(response);
        }
    }
}
