package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.SandboxExhausted;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.WorkloadBusy;
import dev.atoll.sandbox.WorkloadEnded;

/// The ATOLL_E codes of `atoll_engine.h`.
enum EngineError {
    INVALID(-1),
    NOT_FOUND(-2),
    STATE(-3),
    EXHAUSTED(-4),
    IO(-5),
    INTERNAL(-6),
    NOT_SUPPORTED(-7),
    BUSY(-8);

    private final int code;

    EngineError(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /// A code that the header does not name is taken for a bug of the engine.
    static EngineError of(long code) {
        for (EngineError error : values()) {
            if (error.code == code) {
                return error;
            }
        }
        return INTERNAL;
    }

    SandboxException exception(String text) {
        return switch (this) {
            case INVALID, NOT_SUPPORTED -> new InvalidWorkload(text);
            case STATE -> new WorkloadEnded(text);
            case BUSY -> new WorkloadBusy(text);
            case EXHAUSTED -> new SandboxExhausted(text);
            case NOT_FOUND, IO, INTERNAL -> new SandboxFailure(text);
        };
    }
}
