package dev.atoll.sandbox.guest;

import dev.atoll.oci.OneLine;
import dev.atoll.oci.program.Entrypoint;
import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.code.ProgramFile;
import dev.atoll.sandbox.code.ProgramHead;
import dev.atoll.sandbox.engine.View;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds what a command means in a container, in this order: the container's own program, by what
/// it was started as or by its title; another program of its artifact, by its title; a file, by its
/// path or along `PATH`. The ending `.wasm` may be left out where there is no path. Immutable.
///
/// @param own the container's program
/// @param startedAs the container's own first argument
record CommandSearch(WasmProgram own, String startedAs, View view) {
    private static final int NOT_FOUND = 127;
    private static final int NOT_EXECUTABLE = 126;

    private static final String ENDING = ".wasm";
    private static final String FILES = "the container's files";

    Command find(ProcessSpec process) {
        Entrypoint entrypoint = Entrypoint.parse(process.args().getFirst());
        for (String name : names(entrypoint.path())) {
            Optional<WasmProgram> known = known(name, entrypoint);
            if (known.isPresent()) {
                return new Command.Program(known.get());
            }
        }
        return file(entrypoint, process);
    }

    /// The name as given, then with the ending that it may lack.
    private static List<String> names(String name) {
        return isPath(name) || name.endsWith(ENDING) ? List.of(name) : List.of(name, name + ENDING);
    }

    private Optional<WasmProgram> known(String name, Entrypoint entrypoint) {
        if (isOwn(name)) {
            return Optional.of(
                    switch (own) {
                        case WasmProgram.Layer layer -> layer.enteredAt(entrypoint);
                        case WasmProgram.RootfsFile file ->
                                new WasmProgram.RootfsFile(
                                        new Entrypoint(
                                                file.entrypoint().path(), entrypoint.export()),
                                        file.imageDescription());
                    });
        }
        List<WasmProgram.Layer> others = others();
        return Stream.concat(
                        others.stream().filter(other -> sameFile(other.name(), name)),
                        others.stream()
                                .filter(other ->
                                        !isPath(name) && baseName(other.name()).equals(name)))
                .findFirst()
                .map(other -> other.enteredAt(entrypoint));
    }

    private boolean isOwn(String name) {
        String started = Entrypoint.parse(startedAs).path();
        return name.equals(started)
                || (!isPath(name) && baseName(started).equals(name))
                || (own instanceof WasmProgram.Layer layer
                        && (sameFile(layer.name(), name)
                                || (!isPath(name) && baseName(layer.name()).equals(name))));
    }

    private List<WasmProgram.Layer> others() {
        return own instanceof WasmProgram.Layer layer ? layer.others() : List.of();
    }

    private Command file(Entrypoint entrypoint, ProcessSpec process) {
        Optional<Command> refused = Optional.empty();
        for (String path : paths(entrypoint.path(), process)) {
            try {
                Optional<ProgramHead> head = ProgramFile.head(view, path);
                if (head.isPresent() && head.get().isWasm()) {
                    return new Command.Program(
                            new WasmProgram.RootfsFile(
                                    new Entrypoint(path, entrypoint.export()), FILES));
                }
                if (head.isPresent() && refused.isEmpty()) {
                    refused = Optional.of(notWasm(path, head.get().found()));
                }
            } catch (InvalidWorkload e) {
                if (refused.isEmpty()) {
                    refused = Optional.of(notExecutable(e));
                }
            }
        }
        return refused.orElseGet(() -> missing(entrypoint.path()));
    }

    private static List<String> paths(String name, ProcessSpec process) {
        if (name.isEmpty()) {
            return List.of();
        }
        if (isPath(name)) {
            return List.of(resolve(process.cwd(), name));
        }
        List<String> paths = new ArrayList<>();
        for (String directory : searchPath(process).split(":", -1)) {
            for (String candidate : names(name)) {
                // An empty entry is the working directory (execvp(3)).
                paths.add(resolve(process.cwd(), Path.of(directory).resolve(candidate).toString()));
            }
        }
        return paths;
    }

    private static String searchPath(ProcessSpec process) {
        return process.env().stream()
                .filter(variable -> variable.startsWith("PATH="))
                .findFirst()
                .map(variable -> variable.substring("PATH=".length()))
                .orElse("/");
    }

    private static String resolve(String directory, String path) {
        return Path.of("/").resolve(directory).resolve(path).normalize().toString();
    }

    static Command.Refused notExecutable(RuntimeException cause) {
        return new Command.Refused(NOT_EXECUTABLE, String.valueOf(cause.getMessage()));
    }

    private Command notWasm(String path, String found) {
        return new Command.Refused(
                NOT_EXECUTABLE,
                "%s is %s, which a wasm container cannot run; %s"
                        .formatted(OneLine.of(path), found, offered()));
    }

    private Command missing(String name) {
        return new Command.Refused(
                NOT_FOUND,
                "%s: not found in the container; a wasm container has no shell; %s"
                        .formatted(OneLine.of(name), offered()));
    }

    private String offered() {
        List<String> programs = new ArrayList<>();
        programs.add(own instanceof WasmProgram.Layer layer ? layer.name() : startedAs);
        others().stream().limit(20).forEach(other -> programs.add(other.name()));
        return "accepted are its own programs (%s) and .wasm files by their path"
                .formatted(OneLine.of(String.join(", ", programs)));
    }

    private static boolean isPath(String name) {
        return name.indexOf('/') >= 0;
    }

    private static boolean sameFile(String title, String name) {
        return withoutSlash(title).equals(withoutSlash(name));
    }

    private static String withoutSlash(String path) {
        return path.startsWith("/") ? path.substring(1) : path;
    }

    private static String baseName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
