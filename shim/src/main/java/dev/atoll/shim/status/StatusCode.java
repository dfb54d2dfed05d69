package dev.atoll.shim.status;

/// The status codes that ttrpc and gRPC share (google/rpc/code.proto).
public enum StatusCode {
    OK(0),
    UNKNOWN(2),
    INVALID_ARGUMENT(3),
    NOT_FOUND(5),
    ALREADY_EXISTS(6),
    PERMISSION_DENIED(7),
    RESOURCE_EXHAUSTED(8),
    FAILED_PRECONDITION(9),
    UNIMPLEMENTED(12),
    INTERNAL(13),
    UNAVAILABLE(14);

    private final int number;

    StatusCode(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
