package dev.atoll.deploy.cli;

import dev.atoll.api.v1.Guest;
import dev.atoll.api.v1.InfoResponse;
import java.util.List;
import java.util.Optional;

/// What the commands ask of the node's daemon.
interface Daemon extends AutoCloseable {
    List<Guest> guests(boolean includePauses) throws CommandFailed;

    InfoResponse info() throws CommandFailed;

    @Override
    void close();

    /// Connects to a daemon.
    interface Opener {
        /// @param runDirectory as the user named it
        Daemon open(Optional<String> runDirectory);
    }
}
