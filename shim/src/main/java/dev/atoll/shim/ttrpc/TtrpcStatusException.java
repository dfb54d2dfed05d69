package dev.atoll.shim.ttrpc;

import com.google.rpc.Status;
import java.io.IOException;

/// The server answered a call with an error; the connection is whole.
public final class TtrpcStatusException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int code;
    private final String description;

    TtrpcStatusException(Status status) {
        super("status %d: %s".formatted(status.getCode(), status.getMessage()));
        this.code = status.getCode();
        this.description = status.getMessage();
    }

    /// The number of the status code (google/rpc/code.proto).
    public int code() {
        return code;
    }

    /// What the server said, as it said it.
    public String description() {
        return description;
    }
}
