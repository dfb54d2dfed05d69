package dev.atoll.shim.rpc;

import com.google.protobuf.Message;
import java.util.function.BiFunction;

/// One method of a service. Immutable.
///
/// @param quick whether the handler returns within microseconds, so that a transport may run it on
///   its loop
/// @param <Q> request
/// @param <R> response
public record RpcMethod<Q extends Message, R extends Message>(
        String name, Q request, R response, boolean quick, Handler<Q, R> handler) {

    /// Handles a call: answers through the responder, now or later, or throws.
    @FunctionalInterface
    public interface Handler<Q, R> {
        void handle(CallContext context, Q request, Responder<R> responder);
    }

    /// A method that never blocks.
    public static <Q extends Message, R extends Message> RpcMethod<Q, R> quick(
            String name, Q request, R response, BiFunction<CallContext, Q, R> handler) {
        return new RpcMethod<>(name, request, response, true, answering(handler));
    }

    /// A method that may block; it runs on a thread of its own.
    public static <Q extends Message, R extends Message> RpcMethod<Q, R> blocking(
            String name, Q request, R response, BiFunction<CallContext, Q, R> handler) {
        return new RpcMethod<>(name, request, response, false, answering(handler));
    }

    /// A method that never blocks and is answered later.
    public static <Q extends Message, R extends Message> RpcMethod<Q, R> deferred(
            String name, Q request, R response, Handler<Q, R> handler) {
        return new RpcMethod<>(name, request, response, true, handler);
    }

    private static <Q, R> Handler<Q, R> answering(BiFunction<CallContext, Q, R> function) {
        return (context, request, responder) -> responder.reply(function.apply(context, request));
    }
}
