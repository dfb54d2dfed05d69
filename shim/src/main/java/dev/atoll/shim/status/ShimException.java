package dev.atoll.shim.status;

/// A refusal of an RPC. The message is one line, cause first; the subclass says which status code
/// it becomes ([StatusMapper]).
public abstract sealed class ShimException extends RuntimeException
        permits InvalidArgument,
                NotFound,
                AlreadyExists,
                FailedPrecondition,
                ResourceExhausted,
                Unimplemented,
                Unavailable,
                Relayed {
    private static final long serialVersionUID = 1L;

    ShimException(String message) {
        super(message);
    }
}
