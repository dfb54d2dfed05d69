package dev.atoll.deploy.cli;

import dev.atoll.deploy.install.InstallOptions;
import dev.atoll.deploy.install.Progress;
import java.nio.file.Path;

/// Options that the commands which work on a node share.
final class HostArguments {
    private HostArguments() {}

    static Path host(Arguments arguments) throws WrongUsage {
        return absolute(arguments, "--host", "/");
    }

    static String prefix(Arguments arguments) throws WrongUsage {
        Path prefix = absolute(arguments, "--prefix", InstallOptions.DEFAULT_PREFIX).normalize();
        if (prefix.getNameCount() < 2) {
            throw new WrongUsage(
                    "--prefix: expected a directory of its own, such as /opt/atoll, found %s"
                            .formatted(prefix));
        }
        return prefix.toString();
    }

    private static Path absolute(Arguments arguments, String option, String standard)
            throws WrongUsage {
        Path path = Path.of(arguments.value(option).orElse(standard));
        if (!path.isAbsolute()) {
            throw new WrongUsage("%s: expected an absolute path, found %s".formatted(option, path));
        }
        return path;
    }

    static Progress progress(Console console) {
        return line -> {
            console.out().println(Printable.of(line));
            console.out().flush();
        };
    }
}
