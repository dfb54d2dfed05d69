package dev.atoll.deploy.install;

import dev.atoll.deploy.install.Step.Undo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Installs Atoll on a host, or another version of it in place of the present one. If a step fails,
/// the host is taken back to what it was.
public final class Installer {
    private final InstallOptions options;
    private final InstallPlan plan;
    private final Progress progress;
    private final Host host;
    private final Layout layout;

    private Installer(InstallOptions options, InstallPlan plan, Progress progress) {
        this.options = options;
        this.plan = plan;
        this.progress = progress;
        this.host = plan.host();
        this.layout = plan.layout();
    }

    /// @throws InstallFailed if the host is unfit, or a step failed; then nothing has changed
    public static void install(InstallOptions options, Progress progress) throws InstallFailed {
        Host host = Host.at(options.host());
        try (NodeLock _ = NodeLock.take(host)) {
            InstallPlan plan = InstallPlan.make(options);
            Installer installer = new Installer(options, plan, progress);
            if (options.dryRun()) {
                installer.describe();
            } else {
                installer.run();
            }
        }
    }

    private void describe() {
        RunningContainerd containerd = plan.containerd();
        progress.report(
                "found: containerd pid %d, configuration %s, socket %s, restarted by %s"
                        .formatted(
                                containerd.pid(),
                                containerd.config(),
                                containerd.socket(),
                                plan.restart().description()));
        progress.report("would install: %s".formatted(layout.distribution(plan.name())));
        String link = plan.launcher().link();
        progress.report(
                link == null
                        ? "would name the launcher by its path %s".formatted(layout.launcher())
                        : "would link the launcher: %s".formatted(link));
        plan.change()
                .filter(ConfigChange::isNeeded)
                .ifPresentOrElse(
                        change ->
                                progress.report(
                                        "would change %s and restart containerd"
                                                .formatted(change.file())),
                        () -> progress.report("containerd's configuration needs no change"));
        plan.mapCount()
                .ifPresent(count -> progress.report("would raise vm.max_map_count to " + count));
    }

    private void run() throws InstallFailed {
        Deque<Undo> undos = new ArrayDeque<>();
        List<Step> steps =
                List.of(
                        this::copyDistribution,
                        this::checkDistribution,
                        this::writeRecord,
                        this::raiseMapCount,
                        this::switchVersion,
                        this::linkLauncher,
                        this::configure,
                        this::installUnit,
                        this::completeRecord);
        try {
            for (Step step : steps) {
                undos.push(step.apply());
            }
        } catch (InstallFailed e) {
            throw undone(undos, e);
        } catch (IOException e) {
            throw undone(
                    undos,
                    new InstallFailed(
                            "a file cannot be written: %s: on a read-only system choose a writable directory by --prefix"
                                    .formatted(e),
                            e));
        }
        try {
            settleDaemon();
            prune();
        } catch (IOException e) {
            throw new InstallFailed("installed, but not tidied up: " + e, e);
        }
        progress.report("installed: Atoll %s".formatted(plan.name()));
    }

    /// Takes back what was done, last first.
    private static InstallFailed undone(Deque<Undo> undos, InstallFailed cause) {
        StringBuilder rest = new StringBuilder();
        for (Undo undo = undos.poll(); undo != null; undo = undos.poll()) {
            try {
                undo.run();
            } catch (InstallFailed | IOException e) {
                rest.append("; and could not take everything back: ").append(e.getMessage());
                cause.addSuppressed(e);
            }
        }
        return rest.isEmpty() ? cause : new InstallFailed(cause.getMessage() + rest, cause);
    }

    private Undo copyDistribution() throws InstallFailed, IOException {
        Path target = host.path(layout.distribution(plan.name()));
        if (Files.exists(target)) {
            return Undo.NOTHING;
        }
        AtomicFiles.copyTree(plan.distribution().directory(), target);
        progress.report("files: copied to %s".formatted(layout.distribution(plan.name())));
        return () -> {
            AtomicFiles.deleteTree(target);
            if (isEmpty(host.path(layout.prefix()))) {
                Files.delete(host.path(layout.prefix()));
            }
        };
    }

    private Undo checkDistribution() throws InstallFailed, IOException {
        HostCommands.Result result =
                DaemonCheck.run(host, layout, layout.distribution(plan.name()));
        if (!result.succeeded()) {
            throw new InstallFailed(
                    "%s does not run on this host: %s"
                            .formatted(layout.distribution(plan.name()), result.lastLine()));
        }
        progress.report("check: the daemon's program, engine and configuration are fine");
        return Undo.NOTHING;
    }

    private Undo writeRecord() throws InstallFailed {
        Optional<InstallRecord> previous = InstallRecord.read(host, layout);
        plan.record().write(host, layout);
        progress.report("record: wrote %s".formatted(layout.record()));
        return () -> {
            if (previous.isPresent()) {
                previous.get().write(host, layout);
            } else {
                InstallRecord.remove(host, layout);
            }
        };
    }

    private Undo completeRecord() throws InstallFailed {
        plan.record().asComplete().write(host, layout);
        return Undo.NOTHING;
    }

    private Undo raiseMapCount() throws InstallFailed, IOException {
        if (plan.mapCount().isEmpty()) {
            return Undo.NOTHING;
        }
        MapCount.raise(host, plan.mapCount().get());
        progress.report("sysctl: vm.max_map_count = %d".formatted(plan.mapCount().get()));
        return () -> MapCount.restore(host, plan.record().mapCountBefore());
    }

    private Undo switchVersion() throws InstallFailed, IOException {
        Path current = host.path(layout.current());
        Optional<String> before =
                Files.isSymbolicLink(current)
                        ? Optional.of(Files.readSymbolicLink(current).toString())
                        : Optional.empty();
        if (before.equals(Optional.of(plan.name()))) {
            return Undo.NOTHING;
        }
        AtomicFiles.link(current, plan.name());
        progress.report("version: %s leads to %s".formatted(layout.current(), plan.name()));
        return () -> {
            if (before.isPresent()) {
                AtomicFiles.link(current, before.get());
            } else {
                Files.deleteIfExists(current);
            }
        };
    }

    private Undo linkLauncher() throws InstallFailed, IOException {
        String link = plan.launcher().link();
        if (link == null || LauncherPlace.isOurs(host, link, layout)) {
            return Undo.NOTHING;
        }
        LauncherSwap swap = new LauncherSwap(host, layout, link);
        if (swap.keepForeign()) {
            progress.report(
                    "launcher: %s was there already, kept as %s"
                            .formatted(link, layout.foreignLauncher()));
        }
        swap.putOurs();
        progress.report("launcher: linked %s".formatted(link));
        return swap::restore;
    }

    private Undo configure() throws InstallFailed, IOException {
        Optional<ConfigChange> change = plan.change().filter(ConfigChange::isNeeded);
        if (change.isPresent()) {
            AtomicFiles.write(host.path(change.get().file()), change.get().after());
            progress.report("configuration: wrote %s".formatted(change.get().file()));
        }
        CriHealth health = new CriHealth(host, plan.containerd().socket());
        boolean restarted = false;
        try {
            if (!health.has(plan.record().handlers())) {
                restarted = true;
                plan.services().restart(plan.restart());
                progress.report(
                        "containerd: restarted by %s".formatted(plan.restart().description()));
                if (!health.has(plan.record().handlers())) {
                    throw new InstallFailed(
                            "containerd runs, but has not loaded the runtime: does %s read %s?"
                                    .formatted(
                                            plan.containerd().binary(),
                                            plan.containerd().config()));
                }
            }
        } catch (InstallFailed e) {
            takeBack(change, restarted, e);
            throw e;
        }
        progress.report(
                "containerd: serves the runtime %s"
                        .formatted(String.join(", ", plan.record().handlers())));
        boolean changed = restarted;
        return () -> {
            restoreConfig(change);
            if (changed) {
                plan.services().restart(plan.restart());
                health.runtimes();
            }
        };
    }

    private void takeBack(Optional<ConfigChange> change, boolean restarted, InstallFailed cause)
            throws InstallFailed {
        try {
            restoreConfig(change);
            if (restarted) {
                plan.services().restart(plan.restart());
                new CriHealth(host, plan.containerd().socket()).runtimes();
            }
            progress.report("configuration: taken back");
        } catch (IOException | InstallFailed e) {
            cause.addSuppressed(e);
            throw new InstallFailed(
                    "%s; and containerd does not serve pods with its old configuration either (%s): see its log"
                            .formatted(cause.getMessage(), e.getMessage()),
                    cause);
        }
    }

    private void restoreConfig(Optional<ConfigChange> change) throws InstallFailed, IOException {
        if (change.isEmpty()) {
            return;
        }
        Path file = host.path(change.get().file());
        if (change.get().before().isPresent()) {
            AtomicFiles.write(file, change.get().before().get());
        } else {
            Files.deleteIfExists(file);
        }
    }

    private Undo installUnit() throws InstallFailed, IOException {
        if (!plan.record().unit()) {
            return Undo.NOTHING;
        }
        String text = SystemdUnit.text(layout, plan.containerd());
        Optional<String> before = host.read(Layout.UNIT_FILE);
        if (before.equals(Optional.of(text))) {
            return Undo.NOTHING;
        }
        AtomicFiles.write(host.path(Layout.UNIT_FILE), text);
        plan.services().systemctl("daemon-reload");
        plan.services().systemctl("enable", Layout.UNIT);
        progress.report("service: wrote and enabled %s".formatted(Layout.UNIT));
        return () -> {
            if (before.isPresent()) {
                AtomicFiles.write(host.path(Layout.UNIT_FILE), before.get());
            } else {
                plan.services().systemctl("disable", Layout.UNIT);
                Files.deleteIfExists(host.path(Layout.UNIT_FILE));
            }
            plan.services().systemctl("daemon-reload");
        };
    }

    /// A daemon of another version goes on serving its pods, unless it may be ended.
    private void settleDaemon() throws InstallFailed {
        NodeDaemon daemon = new NodeDaemon(host);
        Optional<String> running = daemon.distribution();
        if (running.isPresent()
                && !running.get().equals(host.resolved(layout.distribution(plan.name())))) {
            boolean end =
                    switch (options.restart()) {
                        case NEVER -> false;
                        case WHEN_IDLE -> daemon.guests() == 0;
                        case NOW -> true;
                    };
            if (!end) {
                progress.report(
                        "daemon: %s goes on serving its pods; %s takes its place when it ends: drain the node, or use --restart-daemon now"
                                .formatted(running.get(), plan.name()));
                return;
            }
            daemon.stop();
            progress.report("daemon: ended %s".formatted(running.get()));
        }
        if (plan.record().unit() && daemon.pid().isEmpty()) {
            plan.services().systemctl("restart", Layout.UNIT);
            progress.report("daemon: started by %s".formatted(Layout.UNIT));
        }
    }

    /// Removes versions that neither are in use nor were in use before this one.
    private void prune() throws InstallFailed, IOException {
        Set<String> kept = new HashSet<>(Set.of(plan.name()));
        new NodeDaemon(host)
                .distribution()
                .ifPresent(running -> kept.add(Path.of(running).getFileName().toString()));
        for (String version : versions(host, layout)) {
            if (!kept.contains(version)) {
                AtomicFiles.deleteTree(host.path(layout.distribution(version)));
                progress.report("files: removed %s".formatted(layout.distribution(version)));
            }
        }
    }

    /// Names of the distributions that are there.
    static List<String> versions(Host host, Layout layout) throws InstallFailed, IOException {
        Path prefix = host.path(layout.prefix());
        if (!Files.isDirectory(prefix)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(prefix)) {
            return entries.filter(entry -> !Files.isSymbolicLink(entry))
                    .filter(entry -> Files.exists(entry.resolve("bin/atolld")))
                    .map(entry -> entry.getFileName().toString())
                    .toList();
        }
    }

    static boolean isEmpty(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.findAny().isEmpty();
        }
    }
}
