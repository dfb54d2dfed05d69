package dev.atoll.deploy.install;

import dev.atoll.cri.v1.ListPodSandboxRequest;
import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.deploy.cri.CriClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Takes Atoll away from a host: all that an installation made or changed. The operator's own
/// `/etc/atoll` stays.
public final class Uninstaller {
    private static final Duration PODS_DEADLINE = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(200);

    private final Host host;
    private final Layout layout;
    private final UninstallOptions options;
    private final Progress progress;

    private Uninstaller(UninstallOptions options, Progress progress) {
        this.host = Host.at(options.host());
        this.layout = new Layout(options.prefix());
        this.options = options;
        this.progress = progress;
    }

    /// Does nothing on a host without Atoll. A run that was killed is completed by the next.
    ///
    /// @throws InstallFailed if pods would be killed, or a step failed
    public static void uninstall(UninstallOptions options, Progress progress) throws InstallFailed {
        Uninstaller uninstaller = new Uninstaller(options, progress);
        try (NodeLock _ = NodeLock.take(uninstaller.host)) {
            uninstaller.run();
        } catch (IOException e) {
            throw new InstallFailed("a file cannot be removed: " + e, e);
        }
    }

    private void run() throws InstallFailed, IOException {
        Optional<InstallRecord> found = InstallRecord.read(host, layout);
        if (found.isEmpty()) {
            removeFiles();
            progress.report("nothing is installed in %s".formatted(layout.prefix()));
            return;
        }
        InstallRecord record = found.get();
        NodeDaemon daemon = new NodeDaemon(host);
        int guests = daemon.guests();
        if (guests > 0 && !options.force()) {
            throw new InstallFailed(
                    "%d pods and containers of Atoll are on this node: drain it, or end them by --force"
                            .formatted(guests));
        }
        RunningContainerd containerd = new ContainerdFinder(host).find(options.containerd());
        unconfigure(record, containerd);
        stopDaemon(record, daemon, containerd);
        unlink(record);
        if (record.mapCountBefore() != null) {
            MapCount.restore(host, record.mapCountBefore());
            progress.report("sysctl: vm.max_map_count = %d".formatted(record.mapCountBefore()));
        }
        InstallRecord.remove(host, layout);
        removeFiles();
        progress.report("uninstalled: Atoll %s".formatted(record.version()));
    }

    /// From now on containerd makes no more pods of ours.
    private void unconfigure(InstallRecord record, RunningContainerd containerd)
            throws InstallFailed, IOException {
        if (record.config() == null) {
            return;
        }
        Optional<String> text = host.read(record.config());
        if (text.isPresent() && ContainerdConfigs.isOurs(text.get())) {
            Optional<String> rest = ContainerdConfigs.without(text.get(), record.configCreated());
            Path file = host.path(record.config());
            if (rest.isPresent()) {
                AtomicFiles.write(file, rest.get());
                progress.report(
                        "configuration: took Atoll's part out of %s".formatted(record.config()));
            } else {
                Files.deleteIfExists(file);
                progress.report("configuration: removed %s".formatted(record.config()));
            }
        }
        CriHealth health = new CriHealth(host, containerd.socket());
        if (record.handlers().stream().anyMatch(health.runtimes()::contains)) {
            Services services = new Services(host, options.restartCommand());
            Services.Restart restart = services.restartOf(containerd);
            services.restart(restart);
            progress.report("containerd: restarted by %s".formatted(restart.description()));
            health.runtimes();
        }
    }

    /// Its pods end with it; the launcher must be there until containerd has cleaned up after them.
    private void stopDaemon(InstallRecord record, NodeDaemon daemon, RunningContainerd containerd)
            throws InstallFailed, IOException {
        Services services = new Services(host, options.restartCommand());
        if (record.unit() && host.exists(Layout.UNIT_FILE)) {
            services.systemctl("disable", "--now", Layout.UNIT);
            Files.deleteIfExists(host.path(Layout.UNIT_FILE));
            services.systemctl("daemon-reload");
            progress.report("service: removed %s".formatted(Layout.UNIT));
        }
        if (daemon.pid().isPresent()) {
            daemon.stop();
            progress.report("daemon: ended");
        }
        awaitEndOfPods(record.handlers(), containerd);
    }

    private void awaitEndOfPods(List<String> handlers, RunningContainerd containerd)
            throws InstallFailed {
        Deadline deadline = Deadline.in(PODS_DEADLINE, PAUSE, "pods ended");
        try (CriClient client = CriClient.connect(host.path(host.resolved(containerd.socket())))) {
            while (client
                    .runtime()
                    .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                    .getItemsList()
                    .stream()
                    .anyMatch(pod ->
                            pod.getState() == PodSandboxState.SANDBOX_READY
                                    && handlers.contains(pod.getRuntimeHandler()))) {
                if (deadline.isOver()) {
                    throw new InstallFailed(
                            "containerd still lists pods of Atoll as ready, %d s after its daemon ended: stop them, and uninstall again"
                                    .formatted(PODS_DEADLINE.toSeconds()));
                }
                deadline.await();
            }
        }
    }

    private void unlink(InstallRecord record) throws InstallFailed, IOException {
        if (record.launcher() == null) {
            return;
        }
        LauncherSwap swap = new LauncherSwap(host, layout, record.launcher());
        if (LauncherPlace.isOurs(host, record.launcher(), layout)) {
            swap.restore();
            progress.report("launcher: %s is as it was".formatted(record.launcher()));
        }
    }

    private void removeFiles() throws InstallFailed, IOException {
        Path prefix = host.path(layout.prefix());
        Files.deleteIfExists(host.path(layout.current()));
        for (String version : Installer.versions(host, layout)) {
            AtomicFiles.deleteTree(host.path(layout.distribution(version)));
        }
        if (Installer.isEmpty(prefix)) {
            Files.delete(prefix);
        }
        AtomicFiles.deleteTreeOrEmpty(host.path(Layout.RUN_DIRECTORY));
        AtomicFiles.deleteTreeOrEmpty(host.path(Layout.STATE_DIRECTORY));
        progress.report("files: removed");
    }
}
