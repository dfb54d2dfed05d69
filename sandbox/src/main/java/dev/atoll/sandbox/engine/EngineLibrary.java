package dev.atoll.sandbox.engine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.atoll.sandbox.SandboxFailure;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/// The loaded `libatoll_engine.so`. Immutable, thread-safe. The library stays loaded for the life
/// of the process: it has signal handlers and threads, so it cannot be taken out again.
final class EngineLibrary {
    static final int ABI = 5;

    /// Room for the one line that a failed call writes.
    private static final int ERROR_CAPACITY = 2048;

    private static final FunctionDescriptor SHAPE =
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);

    private final Path path;
    private final Map<EngineFunction, MethodHandle> handles;

    private EngineLibrary(Path path, Map<EngineFunction, MethodHandle> handles) {
        this.path = path;
        this.handles = handles;
    }

    /// @throws SandboxFailure that says which of the three is wrong: no library, a library without
    ///   a function or of another version, or a JVM that may not call it
    static EngineLibrary load(Path path) {
        if (!Files.isRegularFile(path)) {
            throw new SandboxFailure(
                    "engine library %s is missing: install it there, or name its path by -D%s="
                            .formatted(path, EngineLibraryPath.PROPERTY));
        }
        EngineLibrary library = new EngineLibrary(path, bind(path));
        long abi = library.call(EngineFunction.ABI, 0, 0, "");
        if (abi != ABI) {
            throw new SandboxFailure(
                    "engine library %s has ABI version %d: expected %d; install library and daemon of the same release"
                            .formatted(path, abi, ABI));
        }
        return library;
    }

    // SAFETY: the file was chosen by the installation (property or own directory) and is trusted
    // like
    // the daemon's own code. The descriptor is the one shape that atoll_engine.h gives every
    // function.
    @SuppressWarnings("restricted")
    private static Map<EngineFunction, MethodHandle> bind(Path path) {
        try {
            SymbolLookup symbols = SymbolLookup.libraryLookup(path, Arena.global());
            Linker linker = Linker.nativeLinker();
            Map<EngineFunction, MethodHandle> handles = new EnumMap<>(EngineFunction.class);
            for (EngineFunction function : EngineFunction.values()) {
                MemorySegment address =
                        symbols.find(function.symbol())
                                .orElseThrow(() ->
                                        new SandboxFailure(
                                                "engine library %s has no function %s: it is another version or not Atoll's; install library and daemon of the same release"
                                                        .formatted(path, function.symbol())));
                handles.put(function, linker.downcallHandle(address, SHAPE));
            }
            return handles;
        } catch (IllegalCallerException e) {
            throw new SandboxFailure(
                    "this JVM may not call native code, so engine library %s cannot be used: start it with --enable-native-access=ALL-UNNAMED"
                            .formatted(path),
                    e);
        } catch (IllegalArgumentException e) {
            throw new SandboxFailure(
                    "engine library %s cannot be loaded: it is damaged, for another architecture, or a library it needs is missing (see ldd)"
                            .formatted(path),
                    e);
        }
    }

    Path path() {
        return path;
    }

    /// Calls a function that returns a number.
    ///
    /// @throws dev.atoll.sandbox.SandboxException with the engine's text if it fails
    long call(EngineFunction function, long a, long b, String in) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ERROR_CAPACITY);
            long result = invoke(function, a, b, utf8(arena, in), out);
            if (result < 0) {
                throw EngineError.of(result).exception(line(function, out));
            }
            return result;
        }
    }

    /// Like [#call], but says "there is no such thing" by -1 instead of an exception.
    long find(EngineFunction function, long a, long b, String in) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ERROR_CAPACITY);
            long result = invoke(function, a, b, utf8(arena, in), out);
            if (result == EngineError.NOT_FOUND.code()) {
                return -1;
            }
            if (result < 0) {
                throw EngineError.of(result).exception(line(function, out));
            }
            return result;
        }
    }

    /// Calls a function that returns a text, again with more room where it does not fit.
    String text(EngineFunction function, long a) {
        long capacity = ERROR_CAPACITY;
        while (true) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment out = arena.allocate(capacity);
                long result = invoke(function, a, 0, MemorySegment.NULL, out);
                if (result < 0) {
                    throw EngineError.of(result).exception(line(function, out));
                }
                if (result <= capacity) {
                    return new String(
                            out.asSlice(0, result).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
                }
                capacity = result;
            }
        }
    }

    /// Calls a function that writes `count` numbers.
    long[] numbers(EngineFunction function, long a, int count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ERROR_CAPACITY);
            long result = invoke(function, a, 0, MemorySegment.NULL, out);
            if (result < 0) {
                throw EngineError.of(result).exception(line(function, out));
            }
            if (result != (long) count * Long.BYTES) {
                throw new SandboxFailure(
                        "%s returned %d bytes: expected %d"
                                .formatted(function.symbol(), result, count * Long.BYTES));
            }
            return out.asSlice(0, result).toArray(JAVA_LONG);
        }
    }

    /// Waits for events; only one thread at a time may be here.
    ///
    /// @return number of records in `buffer`, or a negative ATOLL_E code
    long poll(long engine, long waitMillis, EventBuffer buffer) {
        return invoke(
                EngineFunction.POLL, engine, waitMillis, MemorySegment.NULL, buffer.segment());
    }

    private static MemorySegment utf8(Arena arena, String text) {
        if (text.isEmpty()) {
            return MemorySegment.NULL;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return arena.allocateFrom(JAVA_BYTE, bytes);
    }

    private static String line(EngineFunction function, MemorySegment out) {
        byte[] bytes = out.toArray(JAVA_BYTE);
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return length == 0
                ? function.symbol() + " failed without a text"
                : new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    private long invoke(
            EngineFunction function, long a, long b, MemorySegment in, MemorySegment out) {
        MethodHandle handle = handles.get(function);
        if (handle == null) {
            throw new AssertionError("unbound function " + function);
        }
        try {
            return (long) handle.invokeExact(a, b, in, in.byteSize(), out, out.byteSize());
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a downcall threw a checked exception", e);
        }
    }
}
