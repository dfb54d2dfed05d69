package dev.atoll.shim.rpc;

/// Answers one call, once, from any thread; a second answer is dropped. Never blocks.
public interface Responder<T> {
    void reply(T response);

    /// Tells the caller why it gets no response; the status code follows from the exception.
    void fail(Throwable cause);

    /// Whether nobody waits for the answer any more, so that a callback may be forgotten.
    boolean isAbandoned();
}
