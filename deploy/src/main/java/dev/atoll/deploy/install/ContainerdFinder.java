package dev.atoll.deploy.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Finds the containerd of a host among its processes. A process tells more than a convention does:
/// which configuration it read, where its programs lie, which service restarts it.
///
/// @param host the host; its `/proc` must show all of its processes
record ContainerdFinder(Host host) {
    static final String DEFAULT_CONFIG = "/etc/containerd/config.toml";
    private static final String DEFAULT_SOCKET = "/run/containerd/containerd.sock";
    // What systemd gives to services.
    private static final String DEFAULT_PATH =
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private static final String DELETED = " (deleted)";
    private static final Pattern UNIT = Pattern.compile("/([^/]+\\.service)(/|$)");

    /// @param socket of the one to be used; empty: there must be one only
    RunningContainerd find(Optional<String> socket) throws InstallFailed {
        List<RunningContainerd> all = all();
        List<RunningContainerd> found =
                socket.isEmpty()
                        ? all
                        : all.stream().filter(one -> one.socket().equals(socket.get())).toList();
        if (found.size() == 1) {
            return found.getFirst();
        }
        String sockets =
                all.stream().map(RunningContainerd::socket).collect(Collectors.joining(", "));
        if (all.isEmpty()) {
            throw new InstallFailed(
                    "no process containerd runs on this host: Atoll works with containerd only; start it, and in a pod use hostPID");
        }
        throw new InstallFailed(
                found.isEmpty()
                        ? "no containerd listens on %s: found %s"
                                .formatted(socket.orElse(""), sockets)
                        : "several containerds run on this host: name the socket of the one that kubelet uses by --containerd, one of %s"
                                .formatted(sockets));
    }

    private List<RunningContainerd> all() throws InstallFailed {
        List<RunningContainerd> found = new ArrayList<>();
        try (Stream<Path> processes = Files.list(host.root().resolve("proc"))) {
            for (Path process :
                    processes
                            .filter(path -> path.getFileName().toString().matches("[0-9]+"))
                            .toList()) {
                read(process).ifPresent(found::add);
            }
        } catch (IOException e) {
            throw new InstallFailed("cannot list the host's processes: " + e.getMessage(), e);
        }
        return found;
    }

    /// @return empty for another program, and for a process that has ended meanwhile
    private Optional<RunningContainerd> read(Path process) {
        try {
            String binary = Files.readSymbolicLink(process.resolve("exe")).toString();
            if (binary.endsWith(DELETED)) { // replaced by an upgrade
                binary = binary.substring(0, binary.length() - DELETED.length());
            }
            List<String> words = split(process.resolve("cmdline"));
            if (!binary.endsWith("/containerd") || isClientCommand(words)) {
                return Optional.empty();
            }
            Map<String, String> environment =
                    split(process.resolve("environ")).stream()
                            .filter(variable -> variable.indexOf('=') > 0)
                            .collect(
                                    Collectors.toMap(
                                            variable ->
                                                    variable.substring(0, variable.indexOf('=')),
                                            variable ->
                                                    variable.substring(variable.indexOf('=') + 1),
                                            (first, _) -> first));
            return Optional.of(
                    new RunningContainerd(
                            Long.parseLong(process.getFileName().toString()),
                            binary,
                            option(words, "--config", "-c").orElse(DEFAULT_CONFIG),
                            option(words, "--address", "-a").orElse(DEFAULT_SOCKET),
                            Arrays.stream(
                                            environment
                                                    .getOrDefault("PATH", DEFAULT_PATH)
                                                    .split(":", -1))
                                    .filter(directory -> directory.startsWith("/"))
                                    .toList(),
                            unit(Files.readString(process.resolve("cgroup")))));
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    /// `containerd config dump` and `containerd publish` are the same program.
    private static boolean isClientCommand(List<String> words) {
        return words.contains("publish") || words.contains("config");
    }

    private static Optional<String> option(List<String> words, String name, String letter) {
        for (int i = 1; i < words.size(); i++) {
            String word = words.get(i);
            for (String option : List.of(name, "-" + name.replaceFirst("^--", ""), letter)) {
                if (word.equals(option) && i + 1 < words.size()) {
                    return Optional.of(words.get(i + 1));
                }
                if (word.startsWith(option + "=")) {
                    return Optional.of(word.substring(option.length() + 1));
                }
            }
        }
        return Optional.empty();
    }

    /// The last service in the path of the process' cgroup, of whichever hierarchy names one.
    static Optional<String> unit(String cgroups) {
        Matcher matcher = UNIT.matcher(cgroups);
        String unit = null;
        while (matcher.find()) {
            unit = matcher.group(1);
        }
        return Optional.ofNullable(unit);
    }

    private static List<String> split(Path file) throws IOException {
        String text = new String(Files.readAllBytes(file), UTF_8);
        return text.isEmpty() ? List.of() : List.of(text.split("\0", -1));
    }
}
