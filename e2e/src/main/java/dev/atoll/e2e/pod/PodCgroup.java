package dev.atoll.e2e.pod;

import dev.atoll.e2e.node.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The cgroup that a kubelet makes for a pod before it asks for the sandbox, in each hierarchy.
///
/// @param directories where it is
record PodCgroup(List<Path> directories) {
    static PodCgroup make(Node node, String path) {
        Path root = node.path("/sys/fs/cgroup");
        try {
            List<Path> directories =
                    hierarchies(root).stream()
                            .map(hierarchy -> hierarchy.resolve(path.substring(1)))
                            .toList();
            for (Path directory : directories) {
                Files.createDirectories(directory);
            }
            return new PodCgroup(directories);
        } catch (IOException e) {
            throw new UncheckedIOException("make cgroup " + path, e);
        }
    }

    private static List<Path> hierarchies(Path root) throws IOException {
        if (Files.exists(root.resolve("cgroup.controllers"))) {
            return List.of(root);
        }
        try (Stream<Path> entries = Files.list(root)) {
            return entries.filter(entry -> Files.exists(entry.resolve("cgroup.procs"))).toList();
        }
    }

    void remove() {
        for (Path directory : directories) {
            try {
                Files.deleteIfExists(directory);
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "remove cgroup " + directory + ": something of the pod is left in it", e);
            }
        }
    }
}
