package dev.atoll.sandbox;

/// How a workload ended, and the exit status that containerd is told (design: trap 134, signals
/// 128+n, memory limit 137).
public sealed interface WorkloadEnd {
    int exitStatus();

    /// @param exitStatus 0..255, chosen by the program
    record Exited(int exitStatus) implements WorkloadEnd {}

    /// @param text the trap with its wasm backtrace, as written to standard error
    record Trapped(String text) implements WorkloadEnd {
        @Override
        public int exitStatus() {
            return 134;
        }
    }

    /// It crossed its memory limit.
    record OutOfMemory() implements WorkloadEnd {
        @Override
        public int exitStatus() {
            return 137;
        }
    }

    /// @param signal 1..64
    record Signalled(int signal) implements WorkloadEnd {
        @Override
        public int exitStatus() {
            return 128 + signal;
        }
    }

    /// It could not be instantiated, or the engine failed under it.
    record Failed(String text) implements WorkloadEnd {
        @Override
        public int exitStatus() {
            return 128;
        }
    }
}
