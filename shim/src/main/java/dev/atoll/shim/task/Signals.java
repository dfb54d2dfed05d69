package dev.atoll.shim.task;

import dev.atoll.shim.status.InvalidArgument;
import java.util.Set;

/// What signals mean to a task that has not begun to run (signal(7)). Stateless.
final class Signals {
    static final int GREATEST = 64;

    /// SIGCHLD, SIGCONT, SIGURG, SIGWINCH.
    private static final Set<Integer> IGNORED = Set.of(17, 18, 23, 28);

    /// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU.
    private static final Set<Integer> STOPPING = Set.of(19, 20, 21, 22);

    private Signals() {}

    /// @throws InvalidArgument if there is no such signal
    static void check(int signal) {
        if (signal < 0 || signal > GREATEST) {
            throw new InvalidArgument(
                    "signal %d does not exist: expected 0 to %d".formatted(signal, GREATEST));
        }
    }

    /// Whether it ends a task that has not begun to run.
    ///
    /// @throws InvalidArgument if it would halt the task
    static boolean ends(int signal) {
        if (STOPPING.contains(signal)) {
            throw new InvalidArgument(
                    "signal %d would halt the container, which WebAssembly guests cannot be: use SIGKILL or SIGTERM"
                            .formatted(signal));
        }
        return signal != 0 && !IGNORED.contains(signal);
    }
}
