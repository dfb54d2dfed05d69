package dev.atoll.deploy.cli;

/// One of the words that follow `atoll`.
sealed interface Command
        permits PsCommand,
                InfoCommand,
                PushCommand,
                InstallCommand,
                UninstallCommand,
                WatchCommand,
                DoctorCommand,
                VersionCommand {
    String name();

    /// One line for the list of commands.
    String summary();

    /// What `atoll NAME --help` prints.
    String help();

    /// Options of this command; `--help` is understood by all.
    Options options();

    /// @throws WrongUsage if the arguments are not what the help says
    /// @throws CommandFailed with the sentence for the user
    void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed;
}
