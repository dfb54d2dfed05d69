package dev.atoll.shim.status;

/// What another shim answered, to be told as it is.
public final class Relayed extends ShimException {
    private static final long serialVersionUID = 1L;

    private final StatusCode code;

    public Relayed(StatusCode code, String message) {
        super(message);
        this.code = code;
    }

    public StatusCode code() {
        return code;
    }
}
