package dev.atoll.e2e.node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// Where the parts of the checkout lie.
public final class Checkout {
    private Checkout() {}

    /// Returns the root of the checkout: the system property `atoll.checkout`, else the nearest
    /// directory upwards that has `e2e/node/nodens`.
    public static Path root() {
        String told = System.getProperty("atoll.checkout");
        if (told != null) {
            return Path.of(told).toAbsolutePath().normalize();
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve("e2e/node/nodens"))) {
                return at;
            }
        }
        throw new IllegalStateException(
                "not inside a checkout of Atoll: set -Datoll.checkout=DIRECTORY");
    }

    /// Returns the distribution under test: the system property `atoll.dist`, else `target/dist`.
    public static Path distribution() {
        return Path.of(System.getProperty("atoll.dist", root().resolve("target/dist").toString()));
    }

    /// Returns a script of `e2e/node`.
    public static String nodeScript(String name) {
        return root().resolve("e2e/node").resolve(name).toString();
    }

    /// Returns the file of a guest that `e2e/guests/build` built.
    public static Path guest(String name) {
        Path file = root().resolve("target/guests").resolve(name);
        if (!Files.exists(file)) {
            throw new IllegalStateException(
                    "no guest at " + file + ": build them with e2e/guests/build");
        }
        return file;
    }

    /// Returns the versions of containerd to test with: the system property `atoll.e2e.versions`
    /// (separated by commas), else all that `e2e/node/prepare` made.
    public static List<String> containerdVersions() {
        String told = System.getProperty("atoll.e2e.versions", "");
        if (!told.isBlank()) {
            return Arrays.stream(told.split(",", -1)).map(String::strip).toList();
        }
        Path tools = root().resolve("target/tools");
        List<String> found =
                Stream.concat(
                                names(tools)
                                        .filter(name -> name.startsWith("containerd-"))
                                        .map(name -> name.substring("containerd-".length())),
                                names(tools.resolve("trees")))
                        .toList();
        if (found.isEmpty()) {
            throw new IllegalStateException(
                    "no containerd in " + tools + ": run e2e/node/prepare test as root first");
        }
        return found;
    }

    private static Stream<String> names(Path directory) {
        if (!Files.isDirectory(directory)) {
            return Stream.empty();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries
                    .filter(Files::isDirectory)
                    .map(entry -> entry.getFileName().toString())
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException("list " + directory, e);
        }
    }
}
