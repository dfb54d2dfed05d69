package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.InvalidWorkload;

/// What a signal does to a process without handlers: the table of signal(7), with Linux' numbers
/// for x86 and ARM.
enum SignalAction {
    /// Signal 0: asks only whether it exists.
    PROBE,
    END,
    IGNORE;

    private static final int HIGHEST = 64;

    private static final int SIGCHLD = 17;
    private static final int SIGCONT = 18;
    private static final int SIGSTOP = 19;
    private static final int SIGTSTP = 20;
    private static final int SIGTTIN = 21;
    private static final int SIGTTOU = 22;
    private static final int SIGURG = 23;
    private static final int SIGWINCH = 28;

    /// @throws InvalidWorkload if it is no signal, or one that would stop a process
    static SignalAction of(int signal) {
        if (signal < 0 || signal > HIGHEST) {
            throw new InvalidWorkload(
                    "signal %d does not exist: expected 1 to %d".formatted(signal, HIGHEST));
        }
        return switch (signal) {
            case 0 -> PROBE;
            case SIGCHLD, SIGCONT, SIGURG, SIGWINCH -> IGNORE;
            case SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU ->
                    throw new InvalidWorkload(
                            "signal %d stops a process, and a wasm container cannot be stopped: end it with SIGTERM (15) or SIGKILL (9)"
                                    .formatted(signal));
            default -> END;
        };
    }
}
