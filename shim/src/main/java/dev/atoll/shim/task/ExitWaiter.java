package dev.atoll.shim.task;

/// Wants to know how a task ended. Neither method blocks.
public interface ExitWaiter {
    void ended(ExitRecord exit);

    /// Whether it may be forgotten.
    boolean isAbandoned();
}
