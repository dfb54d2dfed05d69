package dev.atoll.deploy.cli;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Finds the command, runs it, and turns its failure into a sentence and an exit status.
final class CommandLine {
    static final int DONE = 0;
    static final int FAILED = 1;
    static final int WRONG_USAGE = 2;

    private static final Set<String> HELP = Set.of("--help", "-h", "help");

    private final Console console;
    private final List<Command> commands;

    CommandLine(Console console, List<Command> commands) {
        this.console = console;
        this.commands = List.copyOf(commands);
    }

    int run(List<String> words) {
        if (words.isEmpty()) {
            console.err().print(overview());
            return WRONG_USAGE;
        }
        String first = words.getFirst();
        List<String> rest = words.subList(1, words.size());
        if (HELP.contains(first)) {
            return rest.isEmpty() ? print(overview()) : help(rest.getFirst());
        }
        if (first.equals("--version") || first.equals("-v")) {
            return run(List.of("version"));
        }
        Optional<Command> command = find(first);
        return command.isPresent() ? run(command.get(), rest) : unknown(first);
    }

    private int run(Command command, List<String> words) {
        try {
            Arguments arguments = Arguments.parse(words, withHelp(command.options()));
            if (arguments.has("--help") || arguments.has("-h")) {
                return print(command.help());
            }
            command.run(arguments, console);
            console.out().flush();
            if (console.out().checkError()) {
                return complain(FAILED, "the output could not be written");
            }
            return DONE;
        } catch (WrongUsage e) {
            return complain(
                    WRONG_USAGE,
                    "%s: see atoll %s --help".formatted(e.getMessage(), command.name()));
        } catch (CommandFailed e) {
            return complain(FAILED, String.valueOf(e.getMessage()));
        }
    }

    private static Options withHelp(Options options) {
        Set<String> switches = new HashSet<>(options.switches());
        switches.add("--help");
        switches.add("-h");
        return new Options(switches, options.values());
    }

    private Optional<Command> find(String name) {
        return commands.stream().filter(command -> command.name().equals(name)).findFirst();
    }

    private int help(String name) {
        Optional<Command> command = find(name);
        return command.isPresent() ? print(command.get().help()) : unknown(name);
    }

    private int unknown(String name) {
        List<String> names = commands.stream().map(Command::name).toList();
        return complain(
                WRONG_USAGE,
                "unknown command %s: expected one of %s".formatted(name, String.join(", ", names)));
    }

    private String overview() {
        StringBuilder text = new StringBuilder("Usage: atoll COMMAND [OPTION...]\n\n");
        for (Command command : commands) {
            text.append("  %-9s %s%n".formatted(command.name(), command.summary()));
        }
        return text.append("\natoll COMMAND --help tells more.\n").toString();
    }

    private int print(String text) {
        console.out().print(text);
        console.out().flush();
        return DONE;
    }

    private int complain(int status, String sentence) {
        console.out().flush();
        console.err().println("atoll: " + Printable.of(sentence));
        return status;
    }
}
