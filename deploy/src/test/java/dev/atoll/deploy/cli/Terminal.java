package dev.atoll.deploy.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;

/// Runs commands as a user does and keeps what they print.
final class Terminal {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final CommandLine commandLine;

    Terminal(Command... commands) {
        Console console =
                new Console(new PrintStream(out, false, UTF_8), new PrintStream(err, true, UTF_8));
        commandLine = new CommandLine(console, List.of(commands));
    }

    int run(String... words) {
        out.reset();
        err.reset();
        return commandLine.run(List.of(words));
    }

    String out() {
        return out.toString(UTF_8);
    }

    String err() {
        return err.toString(UTF_8);
    }
}
