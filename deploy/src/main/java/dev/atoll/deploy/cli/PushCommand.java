package dev.atoll.deploy.cli;

import dev.atoll.oci.Digest;
import dev.atoll.oci.OciException;
import dev.atoll.oci.registry.RegistryException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// `atoll push`: a WebAssembly program becomes an image that pods can name.
record PushCommand(Pusher pusher) implements Command {

    /// Packs and uploads a program.
    interface Pusher {
        /// @throws OciException if a file is no WebAssembly, in one sentence
        /// @throws RegistryException if the registry will not have it, in one sentence
        Digest push(Request request);
    }

    /// What to push.
    ///
    /// @param files at least one; each becomes a layer
    /// @param entrypoint the image's argv[0]; empty: named after the first file
    /// @param plainHttp the registry speaks HTTP without TLS
    record Request(
            List<Path> files, String reference, Optional<String> entrypoint, boolean plainHttp) {
        Request {
            files = List.copyOf(files);
        }
    }

    @Override
    public String name() {
        return "push";
    }

    @Override
    public String summary() {
        return "Push a WebAssembly program to a registry as an image";
    }

    @Override
    public String help() {
        return """
        Usage: atoll push FILE... REFERENCE [--entrypoint NAME] [--plain-http]
        Packs FILE, a WebAssembly module or component, as an OCI artifact and pushes it to REFERENCE, such as
        registry.example/hello:1. Pods then use REFERENCE as their image and need no command. Of several files a pod
        picks one by its name. Prints the digest.

          --entrypoint NAME  the program's argv[0], and with NAME#EXPORT the function to call (default: / and the name of the first FILE)
          --plain-http       the registry speaks HTTP without TLS
        """;
    }

    @Override
    public Options options() {
        return new Options(Set.of("--plain-http"), Set.of("--entrypoint"));
    }

    @Override
    public void run(Arguments arguments, Console console) throws WrongUsage, CommandFailed {
        List<String> operands = arguments.operands();
        if (operands.size() < 2) {
            throw new WrongUsage(
                    "expected FILE and REFERENCE, found %d arguments".formatted(operands.size()));
        }
        List<Path> files = new ArrayList<>();
        for (String name : operands.subList(0, operands.size() - 1)) {
            files.add(readable(name));
        }
        String reference = operands.getLast();
        Digest digest;
        try {
            digest =
                    pusher.push(
                            new Request(
                                    files,
                                    reference,
                                    arguments.value("--entrypoint"),
                                    arguments.has("--plain-http")));
        } catch (OciException | RegistryException e) {
            throw new CommandFailed(
                    "cannot push to %s: %s".formatted(reference, e.getMessage()), e);
        }
        console.out().println("pushed %s@%s".formatted(reference, digest));
    }

    private static Path readable(String name) throws CommandFailed {
        Path file;
        try {
            file = Path.of(name);
        } catch (InvalidPathException e) {
            throw new CommandFailed("%s is no file name".formatted(name), e);
        }
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new CommandFailed(
                    "%s is no readable file: expected a WebAssembly program".formatted(name));
        }
        return file;
    }
}
