package dev.atoll.sandbox;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import java.util.function.Consumer;

/// What runs as one container: a wasm guest or a pod's virtual pause. Thread-safe; no method waits
/// for the guest.
public interface Workload extends AutoCloseable {
    /// Begins to run; a server listens when this returns. `onEnd` is called exactly once, when all
    /// output has been written and the streams are closed; on the engine's event thread or the
    /// caller's, so it must not block.
    ///
    /// @throws SandboxException if it cannot be started; `onEnd` is not called then
    void start(Consumer<WorkloadEnd> onEnd);

    /// Acts on a signal as a process without handlers would (signal(7)): those whose default is to
    /// end it end it at once, those ignored by default do nothing. A server finishes what it has
    /// begun and exits with 0, except at SIGKILL.
    ///
    /// @throws WorkloadEnded if it has ended
    /// @throws InvalidWorkload if the signal cannot be given to a guest (stop signals) or is no
    ///   signal
    void signal(int signal);

    /// Lets go of the daemon's own writer of standard input, so that the guest sees its end once
    /// the client has closed it.
    void closeStdin();

    /// Changes what it may use, at once; what `resources` leaves out stays as it is.
    ///
    /// @throws WorkloadEnded if it has ended
    /// @throws WorkloadBusy if it uses more memory than the new limit
    /// @throws InvalidWorkload if a value is out of range
    void update(Resources resources);

    /// Changes the size of its terminal.
    ///
    /// @throws InvalidWorkload if it has none
    void resize(TerminalSize size);

    /// Makes another workload with the same files, network and limits: a command in the container.
    /// Returns at once; what is wrong with the command is told by the end of the workload, as a
    /// shell does it: status 127 if there is no such program, 126 if it cannot be run, with one
    /// line on its standard error.
    ///
    /// @throws InvalidWorkload if nothing can be executed here
    /// @throws WorkloadEnded if this workload does not run
    Workload exec(ExecRequest request);

    WorkloadUsage usage();

    /// What `atoll ps` shows of it.
    WorkloadDescription description();

    /// Releases everything: files, mounts, streams, memory. A running workload is killed first.
    /// Idempotent.
    @Override
    void close();
}
