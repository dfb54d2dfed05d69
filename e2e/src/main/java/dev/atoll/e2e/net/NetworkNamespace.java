package dev.atoll.e2e.net;

import dev.atoll.e2e.node.Background;
import dev.atoll.e2e.node.Command;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;

/// A network namespace, in which this process opens sockets.
///
/// A socket stays in the namespace that its thread was in when it was made, and a namespace is of a
/// thread: one thread that has entered makes all sockets, which any thread may use then.
///
/// Thread-safe.
public final class NetworkNamespace implements AutoCloseable {
    private static final int NEW_NETWORK = 0x40000000;
    private static final int READ_ONLY_CLOSE_ON_EXEC = 0x80000;
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final Path file;
    private final ExecutorService inside;

    private NetworkNamespace(Path file) {
        this.file = file;
        this.inside =
                Executors.newSingleThreadExecutor(
                        Thread.ofPlatform().daemon().name("in " + file).factory());
    }

    /// Returns the namespace that a file of `/proc` or `/run/netns` names.
    public static NetworkNamespace of(Path file) {
        var namespace = new NetworkNamespace(file);
        var _ =
                namespace.call(() -> {
                    Native.enter(file);
                    return file;
                });
        return namespace;
    }

    /// Does something that makes sockets, and returns its result.
    public <T> T call(Callable<T> work) {
        try {
            return inside.submit(work).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("in network namespace " + file, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted in network namespace " + file, e);
        }
    }

    /// Connects to an address.
    ///
    /// @throws IOException if nobody listens there
    public SocketChannel connect(String host, int port) throws IOException {
        SocketChannel channel = call(SocketChannel::open);
        try {
            // (a literal address: nothing is looked up)
            channel.connect(new InetSocketAddress(host, port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /// Listens on an address.
    public ServerSocketChannel listen(String host, int port) {
        return call(() -> {
            ServerSocketChannel channel = ServerSocketChannel.open();
            return channel.bind(new InetSocketAddress(host, port), 1024);
        });
    }

    /// Waits until somebody listens on an address.
    public void awaitListener(String host, int port) {
        Awaitility.await("a listener on " + host + ":" + port)
                .atMost(DEADLINE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> listens(host, port));
    }

    /// Whether somebody listens on an address.
    public boolean listens(String host, int port) {
        try (SocketChannel _ = connect(host, port)) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// Returns a command of the machine, with the machine's files, that is inside.
    public Command command(String... words) {
        return Command.of(entering(words));
    }

    /// Starts a program of the machine inside.
    public Background start(String... words) {
        return Background.start(entering(words));
    }

    private List<String> entering(String... words) {
        var all = new ArrayList<>(List.of("nsenter", "--net=" + file));
        all.addAll(List.of(words));
        return all;
    }

    @Override
    public void close() {
        inside.shutdownNow();
    }

    /// The system calls behind it.
    @SuppressWarnings("restricted")
    private static final class Native {
        private static final Linker LINKER = Linker.nativeLinker();
        private static final StructLayout STATE = Linker.Option.captureStateLayout();
        private static final VarHandle ERRNO =
                STATE.varHandle(StructLayout.PathElement.groupElement("errno"));

        private static final MethodHandle OPEN =
                handle(
                        "open",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        private static final MethodHandle SETNS =
                handle(
                        "setns",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        private static final MethodHandle CLOSE =
                handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

        private Native() {}

        private static MethodHandle handle(String name, FunctionDescriptor shape) {
            return LINKER.downcallHandle(
                    LINKER.defaultLookup().findOrThrow(name),
                    shape,
                    Linker.Option.captureCallState("errno"));
        }

        /// Moves the calling thread, for good.
        static void enter(Path file) throws IOException {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment state = arena.allocate(STATE);
                int fd =
                        (int)
                                OPEN.invokeExact(
                                        state,
                                        arena.allocateFrom(file.toString()),
                                        READ_ONLY_CLOSE_ON_EXEC);
                check("open", file, fd, state);
                int entered = (int) SETNS.invokeExact(state, fd, NEW_NETWORK);
                int errno = (int) ERRNO.get(state, 0L);
                var _ = (int) CLOSE.invokeExact(state, fd);
                if (entered < 0) {
                    throw new IOException("setns into %s: errno %d".formatted(file, errno));
                }
            } catch (IOException | RuntimeException e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException("enter " + file, e);
            }
        }

        private static void check(String what, Path file, int result, MemorySegment state)
                throws IOException {
            if (result < 0) {
                throw new IOException(
                        "%s %s: errno %d".formatted(what, file, (int) ERRNO.get(state, 0L)));
            }
        }
    }
}
