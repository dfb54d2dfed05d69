package dev.atoll.shim.grpc;

import com.google.protobuf.Message;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.status.RpcFailure;
import dev.atoll.shim.status.StatusMapper;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns services of the shim into services of grpc-java. Stateless.
final class GrpcServices {
    private static final Logger LOGGER = LoggerFactory.getLogger(GrpcServices.class);
    private static final Metadata.Key<String> NAMESPACE =
            Metadata.Key.of("containerd-namespace", Metadata.ASCII_STRING_MARSHALLER);

    private GrpcServices() {}

    static ServerServiceDefinition definition(RpcService service) {
        ServerServiceDefinition.Builder definition =
                ServerServiceDefinition.builder(service.name());
        for (RpcMethod<?, ?> method : service.methods()) {
            add(definition, service.name(), method);
        }
        return definition.build();
    }

    private static <Q extends Message, R extends Message> void add(
            ServerServiceDefinition.Builder definition, String service, RpcMethod<Q, R> method) {
        MethodDescriptor<Q, R> descriptor =
                MethodDescriptor.<Q, R>newBuilder()
                        .setType(MethodDescriptor.MethodType.UNARY)
                        .setFullMethodName(
                                MethodDescriptor.generateFullMethodName(service, method.name()))
                        .setRequestMarshaller(ProtoUtils.marshaller(method.request()))
                        .setResponseMarshaller(ProtoUtils.marshaller(method.response()))
                        .build();
        definition.addMethod(descriptor, new Handler<>(method));
    }

    private record Handler<Q extends Message, R extends Message>(RpcMethod<Q, R> method)
            implements ServerCallHandler<Q, R> {
        @Override
        public ServerCall.Listener<Q> startCall(ServerCall<Q, R> call, Metadata headers) {
            String namespace = headers.get(NAMESPACE);
            CallContext context = new CallContext(namespace == null ? "" : namespace);
            return ServerCalls.<Q, R>asyncUnaryCall(
                            (request, observer) -> invoke(context, request, observer))
                    .startCall(call, headers);
        }

        private void invoke(CallContext context, Q request, StreamObserver<R> observer) {
            ObserverResponder<R> responder =
                    new ObserverResponder<>((ServerCallStreamObserver<R>) observer);
            try {
                method.handler().handle(context, request, responder);
            } catch (RuntimeException | StackOverflowError | AssertionError e) {
                if (!StatusMapper.isRefusal(e)) {
                    LOGGER.atError()
                            .addKeyValue(LogKeys.RPC, method.name())
                            .setCause(e)
                            .log("call failed");
                }
                responder.fail(e);
            }
        }
    }

    private static final class ObserverResponder<R> implements Responder<R> {
        private final ServerCallStreamObserver<R> observer;
        private final AtomicBoolean answered = new AtomicBoolean();

        ObserverResponder(ServerCallStreamObserver<R> observer) {
            this.observer = observer;
            // With a handler set, answering a cancelled call is no error.
            observer.setOnCancelHandler(() -> answered.set(true));
        }

        @Override
        public void reply(R response) {
            if (answered.compareAndSet(false, true)) {
                observer.onNext(response);
                observer.onCompleted();
            }
        }

        @Override
        public void fail(Throwable cause) {
            if (answered.compareAndSet(false, true)) {
                RpcFailure failure = StatusMapper.map(cause);
                observer.onError(
                        Status.fromCodeValue(failure.code().number())
                                .withDescription(failure.message())
                                .asRuntimeException());
            }
        }

        @Override
        public boolean isAbandoned() {
            return observer.isCancelled();
        }
    }
}
