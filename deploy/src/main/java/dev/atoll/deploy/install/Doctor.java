package dev.atoll.deploy.install;

import dev.atoll.deploy.cri.CriClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Examines a host from the outside in: system, installation, containerd, its configuration, the
/// launcher, the daemon, and a pod. Changes nothing but for the pod, which is gone afterwards.
public final class Doctor {
    private static final String INSTALL = "run atoll install";
    private static final long FEW_GUESTS = 1000;

    private final Host host;
    private final Layout layout;
    private final Optional<String> socket;
    private final List<Finding> findings = new ArrayList<>();

    private Doctor(Path host, String prefix, Optional<String> socket) {
        this.host = Host.at(host);
        this.layout = new Layout(prefix);
        this.socket = socket;
    }

    /// @param socket of the containerd to look at, where there are several
    /// @param withPod whether to run a pod
    public static List<Finding> examine(
            Path host, String prefix, Optional<String> socket, boolean withPod) {
        Doctor doctor = new Doctor(host, prefix, socket);
        doctor.look("system", "mount the host's /proc", doctor::system);
        Optional<InstallRecord> record = doctor.installation();
        List<String> handlers =
                record.map(InstallRecord::handlers).orElse(List.of(InstallOptions.DEFAULT_HANDLER));
        Optional<RunningContainerd> containerd = doctor.containerd();
        containerd.ifPresent(running -> {
            doctor.look(
                    "configuration",
                    "correct the file that the message names",
                    () -> doctor.configuration(running, handlers));
            doctor.look("launcher", INSTALL, () -> doctor.launcher(running, handlers));
        });
        doctor.look("program", INSTALL, doctor::program);
        doctor.look("daemon", "see /run/atoll/atolld.log", doctor::daemon);
        doctor.look("cache", "run atoll doctor as root", doctor::cache);
        if (withPod && containerd.isPresent()) {
            for (String handler : handlers) {
                doctor.look(
                        "pod",
                        "docs/troubleshooting.md explains the daemon's refusals; see also /run/atoll/atolld.log and containerd's log",
                        () -> doctor.pod(containerd.get(), handler));
            }
        }
        return List.copyOf(doctor.findings);
    }

    /// One part of the examination.
    private interface Look {
        void run() throws InstallFailed, IOException;
    }

    private void look(String subject, String remedy, Look look) {
        try {
            look.run();
        } catch (InstallFailed e) {
            findings.add(Finding.wrong(subject, String.valueOf(e.getMessage()), remedy));
        } catch (IOException e) {
            findings.add(Finding.wrong(subject, e.toString(), remedy));
        }
    }

    private void system() throws InstallFailed {
        String kernel = host.read("/proc/sys/kernel/osrelease").orElse("unknown").strip();
        String groups = host.exists("/sys/fs/cgroup/cgroup.controllers") ? "v2" : "v1";
        findings.add(Finding.fine("system", "Linux %s, cgroups %s".formatted(kernel, groups)));
        long maps = MapCount.read(host);
        long guests = MapCount.guests(maps);
        String found = "vm.max_map_count is %d, enough for %d guests".formatted(maps, guests);
        findings.add(
                guests >= FEW_GUESTS
                        ? Finding.fine("memory maps", found)
                        : Finding.note(
                                "memory maps", found, "run atoll install, or raise it by sysctl"));
    }

    private Optional<InstallRecord> installation() {
        try {
            Optional<InstallRecord> record = InstallRecord.read(host, layout);
            if (record.isEmpty()) {
                findings.add(
                        Finding.wrong(
                                "installation",
                                "nothing is installed in %s".formatted(layout.prefix()),
                                INSTALL + ", or name another directory by --prefix"));
            } else if (!record.get().complete()) {
                findings.add(
                        Finding.wrong(
                                "installation",
                                "an installation of %s has not come to its end"
                                        .formatted(record.get().version()),
                                INSTALL + " again: it goes on where it stopped"));
            } else {
                findings.add(
                        Finding.fine(
                                "installation",
                                "Atoll %s in %s"
                                        .formatted(record.get().version(), layout.prefix())));
            }
            return record;
        } catch (InstallFailed e) {
            findings.add(Finding.wrong("installation", String.valueOf(e.getMessage()), INSTALL));
            return Optional.empty();
        }
    }

    private Optional<RunningContainerd> containerd() {
        try {
            RunningContainerd found = new ContainerdFinder(host).find(socket);
            HostCommands.Result version = host.run(found.binary(), "--version");
            findings.add(
                    Finding.fine(
                            "containerd",
                            "pid %d, %s, configuration %s, socket %s, service %s"
                                    .formatted(
                                            found.pid(),
                                            version.output().strip(),
                                            found.config(),
                                            found.socket(),
                                            found.unit().orElse("none"))));
            return Optional.of(found);
        } catch (InstallFailed e) {
            findings.add(
                    Finding.wrong(
                            "containerd",
                            String.valueOf(e.getMessage()),
                            "start containerd; in a pod use hostPID"));
            return Optional.empty();
        }
    }

    /// What the files say, and what the running containerd has loaded: they differ until a restart.
    private void configuration(RunningContainerd containerd, List<String> handlers)
            throws InstallFailed {
        ContainerdToml resolved = new ConfigCheck(host, containerd, handlers).resolve();
        Set<String> loaded = new CriHealth(host, containerd.socket()).runtimes();
        for (String handler : handlers) {
            Optional<String> type = resolved.runtimeType(handler);
            if (type.isEmpty()) {
                findings.add(
                        Finding.wrong(
                                "configuration",
                                "containerd resolves its configuration to one without the runtime %s"
                                        .formatted(handler),
                                INSTALL));
            } else if (!loaded.contains(handler)) {
                findings.add(
                        Finding.wrong(
                                "configuration",
                                "the runtime %s is configured, but containerd has not loaded it"
                                        .formatted(handler),
                                "restart containerd"));
            } else {
                findings.add(
                        Finding.fine(
                                "configuration",
                                "runtime %s, of type %s, is loaded"
                                        .formatted(handler, type.get())));
            }
        }
    }

    private void launcher(RunningContainerd containerd, List<String> handlers)
            throws InstallFailed {
        ContainerdToml resolved = new ConfigCheck(host, containerd, handlers).resolve();
        for (String handler : handlers) {
            Optional<String> type = resolved.runtimeType(handler);
            if (type.isEmpty()) {
                continue;
            }
            Optional<String> found =
                    type.get().startsWith("/")
                            ? type.filter(Doctor::isAbsolute)
                            : LauncherPlace.existing(host, containerd);
            if (found.isEmpty()) {
                findings.add(
                        Finding.wrong(
                                "launcher",
                                "no directory of containerd's search path has %s: %s"
                                        .formatted(
                                                Layout.LAUNCHER_NAME,
                                                String.join(":", containerd.path())),
                                INSTALL));
            } else {
                String target = host.resolved(found.get());
                findings.add(
                        target.startsWith(layout.prefix() + "/") && host.exists(target)
                                ? Finding.fine(
                                        "launcher", "%s leads to %s".formatted(found.get(), target))
                                : Finding.wrong(
                                        "launcher",
                                        "%s leads to %s, which is not Atoll's"
                                                .formatted(found.get(), target),
                                        INSTALL));
            }
        }
    }

    private static boolean isAbsolute(String path) {
        return Path.of(path).isAbsolute();
    }

    private void program() throws InstallFailed, IOException {
        if (!host.exists(layout.current() + "/bin/atolld")) {
            throw new InstallFailed("%s leads to no distribution".formatted(layout.current()));
        }
        HostCommands.Result result = DaemonCheck.run(host, layout, layout.current());
        if (!result.succeeded()) {
            throw new InstallFailed(result.lastLine());
        }
        findings.add(
                Finding.fine("program", "engine and configuration load: " + result.lastLine()));
    }

    private void daemon() throws InstallFailed {
        NodeDaemon daemon = new NodeDaemon(host);
        Optional<Long> pid = daemon.pid();
        if (pid.isEmpty()) {
            findings.add(
                    Finding.fine(
                            "daemon", "none runs: it starts with the first pod, or with the node"));
            return;
        }
        String from = daemon.distribution().orElse("an unknown directory");
        String found =
                "pid %d, from %s, %d pods and containers"
                        .formatted(pid.get(), from, daemon.guests());
        findings.add(
                from.equals(host.resolved(layout.current()))
                        ? Finding.fine("daemon", found)
                        : Finding.note(
                                "daemon",
                                found + ": not the version that is installed",
                                "drain the node, or run atoll install --restart-daemon now"));
    }

    private void cache() throws InstallFailed, IOException {
        Path directory = host.path(host.resolved(Layout.CODE_CACHE));
        if (!Files.isDirectory(directory)) {
            findings.add(Finding.fine("cache", "empty"));
            return;
        }
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(directory));
        long bytes;
        try (Stream<Path> files = Files.walk(directory)) {
            bytes =
                    files.filter(Files::isRegularFile)
                            .mapToLong(file -> file.toFile().length())
                            .sum();
        }
        String found = "%s holds %d MiB, mode %s".formatted(Layout.CODE_CACHE, bytes >> 20, mode);
        findings.add(
                mode.endsWith("------")
                        ? Finding.fine("cache", found)
                        : Finding.wrong(
                                "cache",
                                found + ": it holds native code that others could read or change",
                                "chmod 700 " + Layout.CODE_CACHE));
    }

    private void pod(RunningContainerd containerd, String handler)
            throws InstallFailed, IOException {
        try (CriClient client = CriClient.connect(host.path(host.resolved(containerd.socket())))) {
            findings.add(new SelfTest(host, client, handler).run());
        }
    }
}
