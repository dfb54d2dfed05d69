package dev.atoll.deploy.install;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// All that an installation will do on a host. Whatever makes a host unfit is found while the plan
/// is made, before anything is changed.
///
/// @param name of the distribution's directory below the prefix
/// @param change what containerd's configuration needs; empty if it has all runtimes already
/// @param mapCount what `vm.max_map_count` must be raised to; empty if it is high enough
/// @param record what will be written down
record InstallPlan(
        Host host,
        Layout layout,
        Distribution distribution,
        String name,
        RunningContainerd containerd,
        LauncherPlace launcher,
        Optional<ConfigChange> change,
        Services services,
        Services.Restart restart,
        Optional<Long> mapCount,
        InstallRecord record) {
    private static final Pattern VERSION = Pattern.compile("\\bv?(\\d+)\\.(\\d+)\\.\\d+");
    private static final Pattern HANDLER = Pattern.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?");
    private static final Pattern ID = Pattern.compile("(?m)^ID=\"?([^\"\\n]+)\"?$");
    private static final Set<String> CLOSED_SYSTEMS = Set.of("talos", "bottlerocket");
    // Before 1.7, wasm artifacts cannot be pulled (docs/versions.md).
    private static final int OLDEST_MAJOR = 1;
    private static final int OLDEST_MINOR = 7;

    static InstallPlan make(InstallOptions options) throws InstallFailed {
        Host host = Host.at(options.host());
        Layout layout = new Layout(options.prefix());
        refuseClosedSystem(host);
        for (String handler : options.handlers()) {
            if (!HANDLER.matcher(handler).matches()) {
                throw new InstallFailed(
                        "handler \"%s\": expected lower-case letters, digits and hyphens, as a RuntimeClass demands it"
                                .formatted(handler));
            }
        }
        Distribution distribution = Distribution.at(options.distribution());
        RunningContainerd containerd = new ContainerdFinder(host).find(options.containerd());
        int major = majorVersion(host, containerd);
        new CriHealth(host, containerd.socket()).runtimes();
        Services services = new Services(host, options.restartCommand());
        Services.Restart restart = services.restartOf(containerd);
        LauncherPlace launcher = LauncherPlace.choose(host, containerd, layout);
        Optional<InstallRecord> previous = InstallRecord.read(host, layout);
        Optional<ConfigChange> change =
                change(host, containerd, major, options.handlers(), launcher.runtimeType());
        Optional<Long> mapCount = mapCount(host, options.guests());
        boolean systemd = services.isSystemd();
        String name;
        try {
            name = distribution.name(host, layout);
        } catch (IOException e) {
            throw new InstallFailed("cannot read %s: %s".formatted(layout.prefix(), e), e);
        }
        InstallRecord record =
                record(
                        host,
                        name,
                        options.handlers(),
                        launcher,
                        change,
                        mapCount,
                        systemd,
                        previous);
        return new InstallPlan(
                host,
                layout,
                distribution,
                name,
                containerd,
                launcher,
                change,
                services,
                restart,
                mapCount,
                record);
    }

    private static void refuseClosedSystem(Host host) throws InstallFailed {
        Matcher id = ID.matcher(host.read("/etc/os-release").orElse(""));
        if (id.find() && CLOSED_SYSTEMS.contains(id.group(1))) {
            throw new InstallFailed(
                    "this host runs %s, which is changed only through its own API and images: build Atoll into its image, as docs/install.md tells"
                            .formatted(id.group(1)));
        }
    }

    private static int majorVersion(Host host, RunningContainerd containerd) throws InstallFailed {
        HostCommands.Result result = host.run(containerd.binary(), "--version");
        Matcher version = VERSION.matcher(result.output());
        if (!result.succeeded() || !version.find()) {
            throw new InstallFailed(
                    "%s --version does not tell a version: found \"%s\""
                            .formatted(containerd.binary(), result.output().strip()));
        }
        int major = Integer.parseInt(version.group(1));
        int minor = Integer.parseInt(version.group(2));
        if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
            throw new InstallFailed(
                    "containerd %s is too old to pull WebAssembly artifacts: Atoll needs 1.7 or newer"
                            .formatted(version.group()));
        }
        return major;
    }

    /// @return empty if others have configured all of the handlers for our launcher
    private static Optional<ConfigChange> change(
            Host host,
            RunningContainerd containerd,
            int major,
            List<String> handlers,
            String runtimeType)
            throws InstallFailed {
        ContainerdConfigs configs = new ContainerdConfigs(host);
        ConfigChange all = configs.plan(containerd, major, handlers, runtimeType);
        ConfigCheck check = new ConfigCheck(host, containerd, handlers);
        ContainerdToml resolved = check.resolve();
        List<String> missing = new ArrayList<>();
        for (String handler : handlers) {
            Optional<String> type = resolved.runtimeType(handler);
            if (type.isEmpty() || ContainerdConfigs.isOurs(all.before().orElse(""))) {
                missing.add(handler);
            } else if (!type.get().equals(runtimeType)) {
                throw new InstallFailed(
                        "containerd's configuration has a runtime %s already, of type %s: remove it, or choose another name by --handlers"
                                .formatted(handler, type.get()));
            }
        }
        if (missing.isEmpty()) {
            return Optional.empty();
        }
        ConfigChange change = configs.plan(containerd, major, missing, runtimeType);
        if (change.isNeeded()) {
            new ConfigCheck(host, containerd, missing).require(change, true);
        }
        return Optional.of(change);
    }

    private static Optional<Long> mapCount(Host host, int guests) throws InstallFailed {
        long wanted = MapCount.forGuests(guests);
        return MapCount.read(host) < wanted ? Optional.of(wanted) : Optional.empty();
    }

    /// What an earlier run wrote down about the state before it stays.
    private static InstallRecord record(
            Host host,
            String name,
            List<String> handlers,
            LauncherPlace launcher,
            Optional<ConfigChange> change,
            Optional<Long> mapCount,
            boolean systemd,
            Optional<InstallRecord> previous)
            throws InstallFailed {
        Optional<String> config = change.map(ConfigChange::file);
        boolean madeBefore =
                previous.isPresent()
                        && previous.get().configCreated()
                        && Optional.ofNullable(previous.get().config()).equals(config);
        boolean madeNow = change.isPresent() && change.get().before().isEmpty();
        Long before = previous.map(InstallRecord::mapCountBefore).orElse(null);
        if (before == null && mapCount.isPresent()) {
            before = MapCount.read(host);
        }
        return new InstallRecord(
                name,
                handlers,
                config.orElse(null),
                madeNow || madeBefore,
                launcher.link(),
                before,
                systemd,
                false);
    }
}
