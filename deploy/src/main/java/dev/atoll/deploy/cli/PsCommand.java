package dev.atoll.deploy.cli;

import dev.atoll.api.v1.Guest;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;

/// `atoll ps`: the guests of this node.
record PsCommand(Daemon.Opener daemons, InstantSource clock) implements Command {
    @Override
    public String name() {
        return "ps";
    }

    @Override
    public String summary() {
        return "List the guests of this node";
    }

    @Override
    public String help() {
        return """
        Usage: atoll ps [--all] [--wide | --json] [--run-dir DIR]
        Lists the guests of this node: pod, state, memory, CPU time, age, and whether compiled code was found.

          --all          list the pods' pauses, too
          --wide         also tell what each is called as, its memory limit, how long its CPU quota held it back; of servers the requests that were answered, that trapped,
                         that were turned away and that are in progress; open sockets, and what the policy refused
          --json         print JSON, with full ids and exact numbers
          --run-dir DIR  where the daemon's sockets are (default $ATOLL_RUN_DIR, or /run/atoll)
        """;
    }

    @Override
    public Options options() {
        return new Options(Set.of("--all", "--wide", "--json"), Set.of("--run-dir"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        arguments.requireOperands();
        if (arguments.has("--wide") && arguments.has("--json")) {
            throw new WrongUsage("--wide and --json exclude each other: JSON has everything");
        }
        try (Daemon daemon = daemons.open(arguments.value("--run-dir"))) {
            List<Guest> guests = daemon.guests(arguments.has("--all"));
            console.out()
                    .print(
                            arguments.has("--json")
                                    ? Json.of(guests)
                                    : GuestTable.of(
                                            guests, clock.instant(), arguments.has("--wide")));
        }
    }
}
