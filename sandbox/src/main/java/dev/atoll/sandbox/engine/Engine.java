package dev.atoll.sandbox.engine;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An embedded Wasmtime: its worker threads, its slots for guests and the thread that hears of
/// their ends. Thread-safe.
public final class Engine implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Engine.class);
    private static final Duration EVENT_THREAD_DEADLINE = Duration.ofSeconds(5);

    private final EngineLibrary library;
    private final long id;
    private final Handle handle;
    private final EngineEvents events;

    private Engine(EngineLibrary library, long id) {
        this.library = library;
        this.id = id;
        this.handle = new Handle("the engine", id);
        this.events = new EngineEvents(new NativeEvents(library, id));
    }

    /// @param libraryPath where the property `atoll.engine.library` and the place beside the jar
    ///   are not meant
    /// @throws SandboxException if the library cannot be loaded or refuses the options
    public static Engine open(Optional<Path> libraryPath, EngineOptions options) {
        EngineLibrary library = EngineLibrary.load(EngineLibraryPath.resolve(libraryPath));
        long id = library.call(EngineFunction.ENGINE_NEW, 0, 0, EngineJson.options(options));
        Engine engine = new Engine(library, id);
        engine.events.start();
        return engine;
    }

    public EngineInfo describe() {
        JsonObject json =
                EngineJson.parse(
                        EngineFunction.ENGINE_DESCRIBE,
                        library.text(EngineFunction.ENGINE_DESCRIBE, handle.id()));
        return new EngineInfo(
                library.path(),
                json.get("wasmtime").getAsString(),
                json.get("compatibility").getAsString(),
                json.get("slots").getAsLong(),
                json.get("live").getAsLong(),
                json.get("modules").getAsLong(),
                json.get("views").getAsLong(),
                json.get("memoryLimit").getAsLong(),
                json.get("memoryUsed").getAsLong());
    }

    public View view(ViewRequest request) {
        return new View(
                library,
                library.call(EngineFunction.VIEW_NEW, handle.id(), 0, EngineJson.view(request)));
    }

    /// Compiles the file `source` into the new file `output`, when it is `owner`'s turn. Both may
    /// be removed once the result is complete, which happens on the event thread: do not chain slow
    /// work to it.
    public CompletableFuture<CompiledModule> compile(
            String owner, String name, Path source, Path output) {
        return load(EngineJson.compile(owner, name, source, output));
    }

    /// Maps compiled code that this engine wrote and whose integrity the caller has checked.
    public CompletableFuture<CompiledModule> map(String name, Path precompiled) {
        return load(EngineJson.map(name, precompiled));
    }

    /// @param name for messages
    /// @throws dev.atoll.sandbox.InvalidWorkload if a rule is wrong
    public Policy policy(String name, NetworkPolicy policy) {
        return new Policy(
                library.call(
                        EngineFunction.POLICY_NEW,
                        handle.id(),
                        0,
                        EngineJson.policy(name, policy)));
    }

    /// @param onEnd called once, on the event thread, which it must not block
    public Guest guest(
            GuestSpec spec,
            CompiledModule module,
            View view,
            Consumer<EngineEvent.GuestEnd> onEnd) {
        long guest =
                library.call(
                        EngineFunction.GUEST_NEW,
                        handle.id(),
                        module.id(),
                        EngineJson.guest(spec, view.id()));
        events.register(
                guest,
                event -> {
                    if (event instanceof EngineEvent.GuestEnd end) {
                        onEnd.accept(end);
                    } else {
                        throw new SandboxFailure(
                                "the engine reported %s for a guest".formatted(event));
                    }
                });
        return new NativeGuest(library, guest, spec.name());
    }

    /// @param drain how long guests may go on before they are killed
    public void close(Duration drain) {
        handle.release(released -> {
            events.expectEnd();
            library.call(EngineFunction.ENGINE_CLOSE, released, drain.toMillis(), "");
            if (!events.awaitEnd(EVENT_THREAD_DEADLINE)) {
                LOGGER.atWarn().log("the event thread did not end in time");
            }
        });
    }

    @Override
    public void close() {
        close(Duration.ZERO);
    }

    private CompletableFuture<CompiledModule> load(String request) {
        long module = library.call(EngineFunction.MODULE_LOAD, handle.id(), 0, request);
        CompletableFuture<CompiledModule> result = new CompletableFuture<>();
        events.register(module, event -> complete(result, module, event));
        return result;
    }

    private void complete(
            CompletableFuture<CompiledModule> result, long module, EngineEvent event) {
        try {
            CompiledModule compiled = loaded(module, event);
            if (!result.complete(compiled)) {
                compiled.close();
            }
        } catch (SandboxException e) {
            result.completeExceptionally(e);
        } catch (RuntimeException | Error e) {
            result.completeExceptionally(
                    new SandboxFailure("the engine's answer about a module was not understood", e));
        }
    }

    private CompiledModule loaded(long module, EngineEvent event) {
        if (!(event instanceof EngineEvent.ModuleLoaded)) {
            throw new SandboxFailure("the engine reported %s for a module".formatted(event));
        }
        JsonObject json =
                EngineJson.parse(
                        EngineFunction.MODULE_INFO,
                        library.text(EngineFunction.MODULE_INFO, module));
        if (!"ready".equals(json.get("state").getAsString())) {
            library.call(EngineFunction.MODULE_DROP, module, 0, "");
            throw EngineError.of(json.get("code").getAsLong())
                    .exception(json.get("error").getAsString());
        }
        List<String> exports = new ArrayList<>();
        if (json.has("exports")) {
            for (JsonElement export : json.getAsJsonArray("exports")) {
                exports.add(export.getAsString());
            }
        }
        return new CompiledModule(library, module, json.get("kind").getAsString(), exports);
    }

    @Override
    public String toString() {
        return "engine " + id;
    }
}
