package dev.atoll.shim.relay;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import dev.atoll.api.containerd.task.ConnectRequest;
import dev.atoll.api.containerd.task.ConnectResponse;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.api.containerd.task.KillRequest;
import dev.atoll.api.containerd.task.ShutdownRequest;
import dev.atoll.api.containerd.task.StateRequest;
import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.task.WaitRequest;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.status.AlreadyExists;
import dev.atoll.shim.status.FailedPrecondition;
import dev.atoll.shim.status.NotFound;
import dev.atoll.shim.status.Relayed;
import dev.atoll.shim.status.ShimException;
import dev.atoll.shim.status.StatusCode;
import dev.atoll.shim.status.Unavailable;
import dev.atoll.shim.task.Timestamps;
import dev.atoll.shim.ttrpc.TtrpcStatusException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One native container and the shim that runs it.
///
/// ```
/// Opening ──► Live ──► Gone
///                │       ▲
///                └► Lost ┘     the other shim ended before its container was deleted
/// ```
///
/// Thread-safe: guarded by `lock`, which is not held during calls.
final class Relay {
    private static final Logger LOGGER = LoggerFactory.getLogger(Relay.class);

    /// kubelet's patience with a runtime is two minutes.
    private static final Duration CREATE_DEADLINE = Duration.ofMinutes(2);

    /// What containerd gives a shim to answer State (`io.containerd.timeout.task.state`).
    private static final Duration QUICK_DEADLINE = Duration.ofSeconds(2);

    /// Together less than the launcher waits for a `Delete`.
    private static final Duration END_DEADLINE = Duration.ofMillis(1500);

    private static final int SIGKILL = 9;
    private static final int KILLED = 137;

    private final ContainerKey key;
    private final String containerdBundle;
    private final RuntimeSpec spec;
    private final NativeBundle bundle;
    private final RuntimeShim runtime;
    private final InstantSource clock;
    private final Instant createdAt;

    /// Told once, when nothing is left of it.
    private final Consumer<Relay> onGone;

    /// Told once, when the other shim has ended before its container was deleted.
    private final Consumer<DeleteResponse> onLost;

    /// How the container ended; failed with the connection's loss.
    private final CompletableFuture<ByteString> ended = new CompletableFuture<>();

    private final Object lock = new Object();

    @GuardedBy("lock")
    private State state = new Opening(false);

    private sealed interface State {}

    /// @param unwanted whether it was given up meanwhile
    private record Opening(boolean unwanted) implements State {}

    private record Live(ShimConnection shim) implements State {}

    /// @param end how the container ended, once it is cleaned up
    private record Lost(CompletableFuture<DeleteResponse> end) implements State {}

    private record Gone() implements State {}

    Relay(
            ContainerKey key,
            String containerdBundle,
            RuntimeSpec spec,
            NativeBundle bundle,
            RuntimeShim runtime,
            InstantSource clock,
            Consumer<Relay> onGone,
            Consumer<DeleteResponse> onLost) {
        this.key = key;
        this.containerdBundle = containerdBundle;
        this.spec = spec;
        this.bundle = bundle;
        this.runtime = runtime;
        this.clock = clock;
        this.createdAt = clock.instant();
        this.onGone = onGone;
        this.onLost = onLost;
    }

    ContainerKey key() {
        return key;
    }

    AlreadyExists exists() {
        return new AlreadyExists(
                "container %s has a task already: delete it first".formatted(key.id()));
    }

    /// Starts the other shim and creates the container there. Blocks.
    ///
    /// @param config the `config.json` that it gets
    /// @throws ShimException with what the shim said, or why there is none; nothing is left behind
    CreateTaskResponse open(CreateTaskRequest request, byte[] config) {
        Optional<Any> options =
                RuncOptions.of(
                        request.hasOptions() ? Optional.of(request.getOptions()) : Optional.empty(),
                        spec.linux().cgroupsPath());
        CreateTaskRequest.Builder passed =
                request.toBuilder().clearOptions().setBundle(bundle.directory().toString());
        options.ifPresent(passed::setOptions);
        Optional<ShimConnection> shim = Optional.empty();
        CreateTaskResponse created;
        try {
            clearBundle();
            bundle.make(Path.of(containerdBundle), config);
            ShimAddress address = runtime.start(key, bundle.directory(), options);
            bundle.note(address, runtime.program());
            shim = Optional.of(ShimConnection.open(address, key.namespace()));
            created =
                    CreateTaskResponse.parseFrom(
                            shim.get().call("Create", passed.build(), CREATE_DEADLINE));
        } catch (IOException e) {
            discard(shim);
            throw new Unavailable(
                    "container %s cannot be run natively: %s".formatted(key.id(), e.getMessage()));
        } catch (RuntimeException e) {
            discard(shim);
            throw e;
        }
        become(shim.get());
        return created;
    }

    /// An earlier daemon may have left it.
    private void clearBundle() throws IOException {
        if (bundle.exists()) {
            DeleteResponse _ = runtime.delete(key, bundle.directory());
            bundle.remove();
        }
    }

    private void become(ShimConnection shim) {
        boolean unwanted;
        synchronized (lock) {
            unwanted = state instanceof Opening(boolean given) && given;
            state = new Live(shim);
        }
        watch(shim);
        if (unwanted) {
            DeleteResponse _ = destroy();
            throw new NotFound("create container %s: it was deleted meanwhile".formatted(key.id()));
        }
    }

    /// One Wait of our own tells of the end, and of the other shim's.
    private void watch(ShimConnection shim) {
        try {
            var _ =
                    shim.send("Wait", WaitRequest.newBuilder().setId(key.id()).build())
                            .whenComplete((bytes, error) -> {
                                if (error == null) {
                                    ended.complete(bytes);
                                } else {
                                    ended.completeExceptionally(error);
                                    if (!(error instanceof TtrpcStatusException)) {
                                        lost(shim);
                                    }
                                }
                            });
        } catch (IOException e) {
            ended.completeExceptionally(e);
            lost(shim);
        }
    }

    /// Passes a call on; never blocks.
    <Q extends Message, R extends Message> void call(
            RpcMethod<Q, R> method, Q request, Responder<R> responder) {
        State now;
        synchronized (lock) {
            if (state instanceof Opening && gives(request)) {
                state = new Opening(true);
            }
            now = state;
        }
        switch (now) {
            case Opening _ when request instanceof ShutdownRequest ->
                    responder.reply(cast(method.response()));
            case Opening _ when gives(request) -> responder.fail(new NotFound(being("created")));
            case Opening _ -> responder.fail(new FailedPrecondition(being("created")));
            case Live(ShimConnection shim) ->
                    Thread.ofVirtual()
                            .name("relay " + key.id())
                            .start(() -> send(shim, method, request, responder));
            case Lost(CompletableFuture<DeleteResponse> end) -> {
                var _ = end.thenAccept(last -> answerLost(last, request, responder));
            }
            case Gone _ -> responder.fail(new NotFound(being("deleted")));
        }
    }

    /// Whether containerd gives the container up by this.
    private static boolean gives(Message request) {
        return request instanceof ShutdownRequest
                || (request instanceof DeleteRequest delete && delete.getExecId().isEmpty());
    }

    private <Q extends Message, R extends Message> void send(
            ShimConnection shim, RpcMethod<Q, R> method, Q request, Responder<R> responder) {
        try {
            var _ =
                    shim.send(method.name(), request)
                            .whenComplete((bytes, error) -> {
                                if (error == null) {
                                    answer(method, request, bytes, responder);
                                } else {
                                    refuse(method, request, error, responder);
                                }
                            });
        } catch (IOException e) {
            refuse(method, request, e, responder);
        }
    }

    private <Q extends Message, R extends Message> void answer(
            RpcMethod<Q, R> method, Q request, ByteString bytes, Responder<R> responder) {
        R response;
        try {
            response = cast(method.response().getParserForType().parseFrom(bytes));
        } catch (InvalidProtocolBufferException e) {
            responder.fail(
                    new Relayed(
                            StatusCode.INTERNAL,
                            "the shim for runc answered %s with what cannot be decoded: %s"
                                    .formatted(method.name(), e.getMessage())));
            return;
        }
        if (response instanceof StateResponse told) {
            responder.reply(cast(told.toBuilder().setBundle(containerdBundle).build()));
        } else if (response instanceof DeleteResponse && gives(request)) {
            // Not on the thread that reads what the other shim says.
            Thread.ofVirtual()
                    .name("relay end " + key.id())
                    .start(() -> {
                        retire();
                        responder.reply(response);
                    });
        } else {
            responder.reply(response);
        }
    }

    private <Q extends Message, R extends Message> void refuse(
            RpcMethod<Q, R> method, Q request, Throwable error, Responder<R> responder) {
        if (error instanceof TtrpcStatusException status) {
            responder.fail(ShimConnection.failure(status));
            return;
        }
        State now;
        synchronized (lock) {
            now = state;
        }
        switch (now) {
            case Live(ShimConnection shim) -> {
                lost(shim);
                call(method, request, responder);
            }
            case Lost _ -> call(method, request, responder);
            case Opening _, Gone _ -> responder.fail(new NotFound(being("deleted")));
        }
    }

    /// The other shim is gone though nobody asked it to go: what containerd would do then is done
    /// here, where it cannot see it.
    private void lost(ShimConnection shim) {
        CompletableFuture<DeleteResponse> end = new CompletableFuture<>();
        synchronized (lock) {
            if (!(state instanceof Live)) {
                return;
            }
            state = new Lost(end);
        }
        shim.close();
        Thread.ofVirtual()
                .name("relay lost " + key.id())
                .start(() -> {
                    shim.removeSocket();
                    log("the shim for runc has ended before its container was deleted");
                    DeleteResponse last = force();
                    onLost.accept(last);
                    end.complete(last);
                });
    }

    private <Q extends Message, R extends Message> void answerLost(
            DeleteResponse last, Q request, Responder<R> responder) {
        Optional<MessageLite> response = LostAnswers.of(last, containerdBundle, request);
        if (request instanceof DeleteRequest && response.isPresent()) {
            gone();
        }
        if (response.isPresent()) {
            responder.reply(cast(response.get()));
        } else {
            responder.fail(
                    new NotFound(
                            "container %s has ended, and so has its shim for runc"
                                    .formatted(key.id())));
        }
    }

    /// Ends the container, whatever its state. Blocks for some seconds at most.
    ///
    /// @return how it ended
    DeleteResponse destroy() {
        State now;
        synchronized (lock) {
            if (state instanceof Opening) {
                state = new Opening(true);
            }
            now = state;
        }
        return switch (now) {
            case Opening _, Gone _ -> killed();
            case Lost(CompletableFuture<DeleteResponse> end) -> {
                DeleteResponse last = end.join();
                gone();
                yield last;
            }
            case Live(ShimConnection shim) -> destroy(shim);
        };
    }

    private DeleteResponse destroy(ShimConnection shim) {
        DeleteResponse last;
        try {
            kill(shim);
            ByteString _ = ended.get(END_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
            last =
                    DeleteResponse.parseFrom(
                            shim.call(
                                    "Delete",
                                    DeleteRequest.newBuilder().setId(key.id()).build(),
                                    END_DEADLINE));
        } catch (ShimException
                | ExecutionException
                | TimeoutException
                | InvalidProtocolBufferException e) {
            LOGGER.atWarn()
                    .addKeyValue(LogKeys.CONTAINER_ID, key.id())
                    .addKeyValue(LogKeys.ERROR, e.toString())
                    .log("native container is ended by force");
            endShim(shim);
            last = force();
            gone();
            return last;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return killed();
        }
        retire();
        return last;
    }

    private void kill(ShimConnection shim) {
        try {
            ByteString _ =
                    shim.call(
                            "Kill",
                            KillRequest.newBuilder()
                                    .setId(key.id())
                                    .setSignal(SIGKILL)
                                    .setAll(true)
                                    .build(),
                            END_DEADLINE);
        } catch (Relayed refusal) {
            if (refusal.code() != StatusCode.NOT_FOUND) {
                throw refusal;
            }
        }
    }

    /// A shim that does not do what it is told.
    private void endShim(ShimConnection shim) {
        synchronized (lock) {
            state = new Gone();
        }
        try {
            long pid =
                    ConnectResponse.parseFrom(
                                    shim.call(
                                            "Connect",
                                            ConnectRequest.newBuilder().setId(key.id()).build(),
                                            END_DEADLINE))
                            .getShimPid();
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        } catch (ShimException | InvalidProtocolBufferException e) {
            LOGGER.atWarn()
                    .addKeyValue(LogKeys.CONTAINER_ID, key.id())
                    .addKeyValue(LogKeys.ERROR, e.toString())
                    .log("a shim for runc may be left");
        }
        shim.removeSocket();
        shim.close();
    }

    /// The container is deleted: lets the other shim go, and removes what it was given.
    private void retire() {
        ShimConnection shim;
        synchronized (lock) {
            if (!(state instanceof Live(ShimConnection live))) {
                return;
            }
            shim = live;
            state = new Gone();
        }
        discard(Optional.of(shim));
        onGone.accept(this);
    }

    private void gone() {
        synchronized (lock) {
            state = new Gone();
        }
        onGone.accept(this);
    }

    /// Of a shim that has no container.
    private void discard(Optional<ShimConnection> shim) {
        if (shim.isPresent()) {
            try (ShimConnection connection = shim.get()) {
                ByteString _ =
                        connection.call(
                                "Shutdown",
                                ShutdownRequest.newBuilder().setId(key.id()).setNow(true).build(),
                                QUICK_DEADLINE);
            } catch (Unavailable _) {
                // It was faster to go than to answer.
            } catch (ShimException e) {
                log("the shim for runc did not want to end: " + e.getMessage());
            }
        }
        try {
            bundle.remove();
        } catch (IOException e) {
            DeleteResponse _ = force();
        }
    }

    /// Cleans up without the other shim.
    private DeleteResponse force() {
        try {
            DeleteResponse last = runtime.delete(key, bundle.directory());
            bundle.remove();
            return last;
        } catch (IOException e) {
            LOGGER.atError()
                    .addKeyValue(LogKeys.NAMESPACE, key.namespace())
                    .addKeyValue(LogKeys.CONTAINER_ID, key.id())
                    .addKeyValue(LogKeys.PATH, bundle.directory())
                    .setCause(e)
                    .log("native container not released completely");
            return killed();
        }
    }

    /// As it is now. Blocks.
    Optional<RelayedContainer> describe() {
        ShimConnection shim;
        synchronized (lock) {
            if (!(state instanceof Live(ShimConnection live))) {
                return Optional.empty();
            }
            shim = live;
        }
        try {
            StateResponse told =
                    StateResponse.parseFrom(
                            shim.call(
                                    "State",
                                    StateRequest.newBuilder().setId(key.id()).build(),
                                    QUICK_DEADLINE));
            return Optional.of(new RelayedContainer(key, spec, createdAt, told));
        } catch (ShimException | InvalidProtocolBufferException e) {
            log("a native container cannot be described: " + e.getMessage());
            return Optional.empty();
        }
    }

    private DeleteResponse killed() {
        return DeleteResponse.newBuilder()
                .setExitStatus(KILLED)
                .setExitedAt(Timestamps.of(clock.instant()))
                .build();
    }

    private String being(String what) {
        return "container %s is being %s".formatted(key.id(), what);
    }

    private void log(String message) {
        LOGGER.atWarn()
                .addKeyValue(LogKeys.NAMESPACE, key.namespace())
                .addKeyValue(LogKeys.CONTAINER_ID, key.id())
                .log(message);
    }

    // The response is of the method's type: it was parsed as such, or belongs to a request of it.
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <R> R cast(MessageLite message) {
        return (R) message;
    }
}
