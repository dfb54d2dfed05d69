package dev.atoll.deploy.cli;

import java.util.Objects;

/// `atoll version`: of this command; the daemon's own stands in `atoll info`.
record VersionCommand() implements Command {
    @Override
    public String name() {
        return "version";
    }

    @Override
    public String summary() {
        return "Print the version of this command";
    }

    @Override
    public String help() {
        return """
        Usage: atoll version
        Prints the version of this command; atoll info tells the daemon's.
        """;
    }

    @Override
    public Options options() {
        return Options.NONE;
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage {
        arguments.requireOperands();
        console.out()
                .println(
                        "atoll "
                                + Objects.requireNonNullElse(
                                        VersionCommand.class
                                                .getPackage()
                                                .getImplementationVersion(),
                                        "development"));
    }
}
