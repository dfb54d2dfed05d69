package dev.atoll.shim.ttrpc;

/// The peer sent what is no ttrpc; the connection cannot go on.
final class ProtocolViolation extends Exception {
    private static final long serialVersionUID = 1L;

    ProtocolViolation(String message) {
        super(message);
    }
}
