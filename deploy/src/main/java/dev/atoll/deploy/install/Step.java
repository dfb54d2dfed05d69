package dev.atoll.deploy.install;

import java.io.IOException;

/// One thing that an installation does.
@FunctionalInterface
interface Step {
    /// Does what is missing.
    ///
    /// @return what takes it back
    Undo apply() throws InstallFailed, IOException;

    /// Takes a step back.
    @FunctionalInterface
    interface Undo {
        Undo NOTHING = () -> {};

        void run() throws InstallFailed, IOException;
    }
}
