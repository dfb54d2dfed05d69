package dev.atoll.deploy.cli;

import dev.atoll.api.v1.InfoResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;

/// `atoll info`: the daemon of this node.
record InfoCommand(Daemon.Opener daemons, InstantSource clock) implements Command {
    @Override
    public String name() {
        return "info";
    }

    @Override
    public String summary() {
        return "Tell about the daemon of this node";
    }

    @Override
    public String help() {
        return """
        Usage: atoll info [--json] [--run-dir DIR]
        Tells version, process, age, number of tasks and engine of the daemon of this node.

          --json         print JSON
          --run-dir DIR  where the daemon's sockets are (default $ATOLL_RUN_DIR, or /run/atoll)
        """;
    }

    @Override
    public Options options() {
        return new Options(Set.of("--json"), Set.of("--run-dir"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        arguments.requireOperands();
        try (Daemon daemon = daemons.open(arguments.value("--run-dir"))) {
            InfoResponse info = daemon.info();
            console.out().print(arguments.has("--json") ? Json.of(info) : text(info));
        }
    }

    private String text(InfoResponse info) {
        Duration age = Duration.between(Quantities.instant(info.getStartedAt()), clock.instant());
        return """
        version  %s
        pid      %s
        age      %s
        tasks    %s
        engine   %s
        """
                .formatted(
                        Printable.of(info.getVersion()),
                        Integer.toUnsignedString(info.getPid()),
                        info.hasStartedAt() ? Quantities.age(age) : "-",
                        Integer.toUnsignedString(info.getTasks()),
                        Printable.of(info.getEngine()));
    }
}
