package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.node.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/// Counts what pods may leave on a node.
///
/// @param node the node
record Leftovers(Node node) {
    /// The daemon's idle threads end after ten seconds.
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private static final String THREADS = "threads of the daemon";
    private static final String BUNDLES = "/run/containerd/io.containerd.runtime.v2.task";
    private static final String WORK = "/var/lib/containerd/io.containerd.runtime.v2.task";

    static Leftovers of(Node node) {
        return new Leftovers(node);
    }

    /// Returns how many bundles of tasks there are, in all namespaces.
    int bundles() {
        return (int) under(BUNDLES, 2).filter(path -> depthUnder(path, BUNDLES) == 2).count();
    }

    /// Returns how many mounts of the node have the text in their path.
    int mounts(String text) {
        return (int)
                lines("/proc/1/mountinfo").stream().filter(line -> line.contains(text)).count();
    }

    /// Waits until there is no more of anything than there was before.
    void awaitNoMoreThan(Map<String, Integer> before) {
        Awaitility.await("nothing left")
                .atMost(DEADLINE)
                .untilAsserted(() -> assertNoMore(before, counts()));
    }

    /// Waits until all is as before: no more threads of the daemon, of which idle ones end by
    /// themselves, and of everything else just as much.
    void awaitAsBefore(Map<String, Integer> before) {
        Awaitility.await("all as before")
                .atMost(DEADLINE)
                .untilAsserted(() -> {
                    Map<String, Integer> after = counts();
                    assertNoMore(before, after);
                    var expected = new TreeMap<>(before);
                    expected.computeIfPresent(THREADS, (what, _) -> after.get(what));
                    assertThat(after).isEqualTo(expected);
                });
    }

    /// Fails if there is more of anything after than there was before.
    static void assertNoMore(Map<String, Integer> before, Map<String, Integer> after) {
        assertThat(after)
                .allSatisfy((what, count) ->
                        assertThat(count)
                                .as(what)
                                .isLessThanOrEqualTo(before.getOrDefault(what, 0)));
    }

    /// Returns all counts by what is counted.
    TreeMap<String, Integer> counts() {
        var counts = new TreeMap<String, Integer>();
        counts.put("bundles", bundles());
        counts.put("work directories", count(WORK, 2));
        counts.put("network namespaces", count("/run/netns", 1));
        counts.put("files in /run/atoll", count("/run/atoll", 5));
        counts.put("files in /var/lib/atoll", count("/var/lib/atoll", 5));
        counts.put("files in /tmp", count("/tmp", 5));
        counts.put("mounts", lines("/proc/1/mountinfo").size());
        counts.put("sockets of containerd", count("/run/containerd", 1));
        node.daemons()
                .forEach(daemon -> {
                    try {
                        counts.merge("daemons", 1, Integer::sum);
                        counts.merge("open files of the daemon", daemon.openFiles(), Integer::sum);
                        counts.merge(THREADS, daemon.threads(), Integer::sum);
                        counts.merge("mounts of the daemon", daemon.mounts(), Integer::sum);
                    } catch (IOException e) {
                        throw new UncheckedIOException("look at daemon " + daemon.pid(), e);
                    }
                });
        counts.put("processes", node.processes().size());
        return counts;
    }

    private int count(String directory, int depth) {
        return (int) under(directory, depth).count();
    }

    private int depthUnder(Path path, String directory) {
        return node.path(directory).relativize(path).getNameCount();
    }

    private Stream<Path> under(String directory, int depth) {
        Path start = node.path(directory);
        if (!Files.exists(start)) {
            return Stream.empty();
        }
        try (Stream<Path> found = Files.walk(start, depth)) {
            return found.skip(1).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException("walk " + start, e);
        }
    }

    private List<String> lines(String file) {
        try {
            return Files.readAllLines(node.path(file));
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }
}
