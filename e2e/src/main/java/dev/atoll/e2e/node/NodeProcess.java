package dev.atoll.e2e.node;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A process of a node, as the machine sees it.
///
/// @param pid its pid on the machine
/// @param name its short name
/// @param words its command line
public record NodeProcess(long pid, String name, List<String> words) {
    public NodeProcess {
        words = List.copyOf(words);
    }

    /// Lists the processes of a node by its first process: those in its pid namespace, and those
    /// that descend from it, since native containers have pid namespaces of their own.
    public static List<NodeProcess> ofNode(long first) throws IOException {
        Path wanted = Files.readSymbolicLink(Path.of("/proc/" + first + "/ns/pid"));
        var found = new ArrayList<NodeProcess>();
        try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
            for (Path entry : entries.toList()) {
                if (entry.getFileName().toString().chars().allMatch(Character::isDigit)) {
                    read(entry, wanted, first).ifPresent(found::add);
                }
            }
        }
        return found;
    }

    private static Optional<NodeProcess> read(Path entry, Path namespace, long first) {
        try {
            boolean inside = Files.readSymbolicLink(entry.resolve("ns/pid")).equals(namespace);
            if (!inside && !descends(Long.parseLong(entry.getFileName().toString()), first)) {
                return Optional.empty();
            }
            String line = Files.readString(entry.resolve("cmdline"), StandardCharsets.ISO_8859_1);
            String name =
                    Files.readString(entry.resolve("comm"), StandardCharsets.ISO_8859_1).strip();
            List<String> words =
                    Arrays.stream(line.split("\0", -1)).filter(word -> !word.isEmpty()).toList();
            long pid = Long.parseLong(entry.getFileName().toString());
            return Optional.of(new NodeProcess(pid, name, words));
        } catch (IOException e) {
            // A process may end while it is looked at: then it is none.
            return Optional.empty();
        }
    }

    private static boolean descends(long pid, long ancestor) {
        for (var at = ProcessHandle.of(pid); at.isPresent(); at = at.get().parent()) {
            if (at.get().pid() == ancestor) {
                return true;
            }
        }
        return false;
    }

    /// Whether it is an Atoll daemon: a Java that runs from a distribution's own runtime, or
    /// `atolld` itself.
    public boolean isDaemon() {
        return !words.isEmpty()
                && (words.getFirst().endsWith("/runtime/bin/java") || name.equals("atolld"));
    }

    /// Returns how many threads it has.
    public int threads() throws IOException {
        return count("task");
    }

    /// Returns how many files it has open.
    public int openFiles() throws IOException {
        return count("fd");
    }

    /// Returns how many mounts its namespace has.
    public int mounts() throws IOException {
        return Files.readAllLines(directory().resolve("mountinfo"), StandardCharsets.ISO_8859_1)
                .size();
    }

    /// Returns its proportional share of memory in KiB.
    public long proportionalMemory() throws IOException {
        return kibibytes("smaps_rollup", "Pss:");
    }

    /// Returns the most memory that it had in KiB, since [#forgetPeakMemory()] or its start.
    public long peakMemory() throws IOException {
        return kibibytes("status", "VmHWM:");
    }

    /// Has its highest memory counted from now on.
    ///
    /// @return its memory now, in KiB
    public long forgetPeakMemory() throws IOException {
        // (proc(5), clear_refs)
        Files.writeString(directory().resolve("clear_refs"), "5");
        return kibibytes("status", "VmRSS:");
    }

    private long kibibytes(String file, String field) throws IOException {
        Path path = directory().resolve(file);
        for (String line : Files.readAllLines(path, StandardCharsets.ISO_8859_1)) {
            if (line.startsWith(field)) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new NoSuchFileException(path + " has no " + field);
    }

    /// Kills it at once.
    public void kill() {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }

    private int count(String what) throws IOException {
        try (Stream<Path> entries = Files.list(directory().resolve(what))) {
            return (int) entries.count();
        }
    }

    private Path directory() {
        return Path.of("/proc/" + pid);
    }
}
