package dev.atoll.sandbox.engine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.atoll.sandbox.SandboxFailure;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/// A namespace that this process keeps open, so that it outlives the process it was found at.
/// Thread-safe. Closing is idempotent.
public final class NamespaceFile implements AutoCloseable {
    /// `O_RDONLY | O_CLOEXEC` of fcntl.h, which have these values on every Linux architecture that
    /// the JDK runs on.
    private static final int READ_ONLY_CLOSE_ON_EXEC = 0x80000;

    private final int descriptor;
    private final AtomicBoolean closed = new AtomicBoolean();

    private NamespaceFile(int descriptor) {
        this.descriptor = descriptor;
    }

    /// @param path such as `/proc/7/ns/ipc`
    public static NamespaceFile open(Path path) {
        int descriptor;
        try (Arena arena = Arena.ofConfined()) {
            descriptor =
                    (int)
                            Binding.OPEN.invokeExact(
                                    arena.allocateFrom(path.toString()), READ_ONLY_CLOSE_ON_EXEC);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a downcall threw a checked exception", e);
        }
        if (descriptor < 0) {
            throw new SandboxFailure("namespace %s cannot be opened".formatted(path));
        }
        return new NamespaceFile(descriptor);
    }

    /// Where other processes of this machine find it until it is closed.
    public Path path() {
        return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + descriptor);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            Descriptors.close(descriptor);
        }
    }

    /// Bound when it is first used, since few nodes have mixed pods.
    private static final class Binding {
        /// `int open(const char *path, int flags, ...);` of fcntl.h
        static final MethodHandle OPEN = bind();

        // SAFETY: open(2) of the C library has this descriptor on every Linux ABI; the path is a C
        // string that lives until the call returns.
        @SuppressWarnings("restricted")
        private static MethodHandle bind() {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("open"),
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
                    Linker.Option.firstVariadicArg(2));
        }
    }
}
