package dev.atoll.sandbox.engine;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.WorkloadEnded;

/// An instance of a program, or a server of instances. Thread-safe; nothing here waits for it. Its
/// end comes to the consumer given to [Engine#guest].
public interface Guest extends AutoCloseable {
    /// The engine's number for it.
    long id();

    /// Begins to run; a server listens when this returns.
    ///
    /// @throws dev.atoll.sandbox.SandboxException if it cannot; it may be closed then
    void start();

    /// Asks a running one to end: a server takes no more requests after a while, finishes those in
    /// progress and exits with 0; of any other guest this is [#kill].
    ///
    /// @param signal comes back in [EngineEvent.GuestSignalled]
    /// @throws WorkloadEnded if it has ended
    void stop(int signal);

    /// Ends it at once, also in a loop, a sleep or a host call, and also before it was started.
    ///
    /// @param signal comes back in [EngineEvent.GuestSignalled]
    /// @throws WorkloadEnded if it has ended
    void kill(int signal);

    /// Changes what its container may use, at once; what `limits` leaves out stays as it is.
    ///
    /// @throws WorkloadEnded if it has ended
    /// @throws dev.atoll.sandbox.WorkloadBusy if more memory is used than the new limit
    void update(Resources limits);

    /// Lets the guest see the end of its input once every other writer is gone.
    void closeStdin();

    /// Changes the size of its terminal.
    ///
    /// @throws dev.atoll.sandbox.InvalidWorkload if it has none
    /// @throws WorkloadEnded if it has ended
    void resize(TerminalSize size);

    GuestStatistics statistics();

    /// The text of its trap or failure; empty where there is none.
    String text();

    /// Releases everything of a guest that has ended or was never started. Idempotent.
    ///
    /// @throws WorkloadEnded if it is running; it stays as it is
    @Override
    void close();
}
