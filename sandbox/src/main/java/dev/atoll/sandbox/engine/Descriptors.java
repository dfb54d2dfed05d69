package dev.atoll.sandbox.engine;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.atoll.sandbox.SandboxFailure;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// Closes file descriptors that the engine gave away; the JDK has no way to take one over.
final class Descriptors {
    /// `int close(int fd);` of unistd.h
    private static final MethodHandle CLOSE = bindClose();

    private Descriptors() {}

    // SAFETY: close(2) of the C library has this descriptor on every Linux ABI.
    @SuppressWarnings("restricted")
    private static MethodHandle bindClose() {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    }

    static void close(int descriptor) {
        int result;
        try {
            result = (int) CLOSE.invokeExact(descriptor);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("a downcall threw a checked exception", e);
        }
        if (result != 0) {
            throw new SandboxFailure(
                    "descriptor %d of the engine could not be closed".formatted(descriptor));
        }
    }
}
