package dev.atoll.shim.ttrpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.status.Unimplemented;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Finds methods by service and name. Immutable.
final class MethodTable {
    private final Map<String, Map<String, Bound<?, ?>>> services = new HashMap<>();

    MethodTable(List<RpcService> services) {
        for (RpcService service : services) {
            Map<String, Bound<?, ?>> methods = new HashMap<>();
            for (RpcMethod<?, ?> method : service.methods()) {
                methods.put(method.name(), new Bound<>(method));
            }
            this.services.put(service.name(), methods);
        }
    }

    /// @throws Unimplemented if there is no such service or method
    Bound<?, ?> find(String service, String method) {
        Map<String, Bound<?, ?>> methods = services.get(service);
        if (methods == null) {
            throw new Unimplemented("service %s is not known to Atoll".formatted(service));
        }
        Bound<?, ?> bound = methods.get(method);
        if (bound == null) {
            throw new Unimplemented(
                    "method %s of service %s is not known to Atoll".formatted(method, service));
        }
        return bound;
    }

    /// A method whose request comes as bytes.
    static final class Bound<Q extends Message, R extends Message> {
        private final RpcMethod<Q, R> method;

        Bound(RpcMethod<Q, R> method) {
            this.method = method;
        }

        boolean quick() {
            return method.quick();
        }

        void invoke(CallContext context, ByteString payload, Responder<MessageLite> responder) {
            Q request;
            try {
                // The parser of a message type makes messages of that type.
                @SuppressWarnings("unchecked")
                Q parsed = (Q) method.request().getParserForType().parseFrom(payload);
                request = parsed;
            } catch (InvalidProtocolBufferException e) {
                responder.fail(
                        new InvalidArgument(
                                "the request of method %s cannot be decoded: %s"
                                        .formatted(method.name(), e.getMessage())));
                return;
            }
            method.handler().handle(context, request, new Narrowed<>(responder));
        }
    }

    private record Narrowed<R extends Message>(Responder<MessageLite> target)
            implements Responder<R> {
        @Override
        public void reply(R response) {
            target.reply(response);
        }

        @Override
        public void fail(Throwable cause) {
            target.fail(cause);
        }

        @Override
        public boolean isAbandoned() {
            return target.isAbandoned();
        }
    }
}
