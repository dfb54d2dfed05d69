package dev.atoll.sandbox;

/// Why a workload could not be made or acted on. The message is one line for the user, cause first.
public abstract sealed class SandboxException extends RuntimeException
        permits InvalidWorkload,
                NativeProgram,
                WorkloadBusy,
                WorkloadEnded,
                SandboxExhausted,
                SandboxFailure {
    private static final long serialVersionUID = 1L;

    SandboxException(String message) {
        super(message);
    }

    SandboxException(String message, Throwable cause) {
        super(message, cause);
    }
}
