package dev.atoll.oci.spec;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The OCI runtime specification of a container, as far as Atoll acts on it.
public record RuntimeSpec(
        String ociVersion,
        Optional<ProcessSpec> process,
        Root root,
        Optional<String> hostname,
        List<MountSpec> mounts,
        Map<String, String> annotations,
        LinuxSpec linux) {
    public RuntimeSpec {
        mounts = List.copyOf(mounts);
        annotations = Map.copyOf(annotations);
    }

    /// @param path relative to the bundle, or absolute
    public record Root(String path, boolean readonly) {}

    /// @param consoleSize of the terminal at first; empty where it is not told yet
    /// @param openFiles how many files it may have open at most (the soft `RLIMIT_NOFILE`)
    public record ProcessSpec(
            boolean terminal,
            User user,
            List<String> args,
            List<String> env,
            String cwd,
            Optional<ConsoleSize> consoleSize,
            Capabilities capabilities,
            Optional<Long> openFiles) {
        public ProcessSpec {
            args = List.copyOf(args);
            env = List.copyOf(env);
        }

        public ProcessSpec(
                boolean terminal, User user, List<String> args, List<String> env, String cwd) {
            this(
                    terminal,
                    user,
                    args,
                    env,
                    cwd,
                    Optional.empty(),
                    Capabilities.NONE,
                    Optional.empty());
        }

        /// What a program has that is executed as the user: root keeps the effective set, another
        /// user only what is ambient (capabilities(7)).
        public List<String> heldCapabilities() {
            return user.uid() == 0 ? capabilities.effective() : capabilities.ambient();
        }
    }

    /// In characters.
    public record ConsoleSize(long width, long height) {}

    /// @param umask of what the process makes, e.g. 022 in octal
    public record User(long uid, long gid, List<Long> additionalGids, Optional<Long> umask) {
        public User {
            additionalGids = List.copyOf(additionalGids);
        }

        public User(long uid, long gid, List<Long> additionalGids) {
            this(uid, gid, additionalGids, Optional.empty());
        }
    }

    /// Names such as `CAP_FOWNER`.
    public record Capabilities(List<String> effective, List<String> ambient) {
        public static final Capabilities NONE = new Capabilities(List.of(), List.of());

        public Capabilities {
            effective = List.copyOf(effective);
            ambient = List.copyOf(ambient);
        }
    }

    /// @param type empty where the spec names none (a bind by its options)
    public record MountSpec(String destination, String type, String source, List<String> options) {
        public MountSpec {
            options = List.copyOf(options);
        }
    }

    /// @param devices paths of the devices that the spec asks for beside the default ones, as for a
    ///   privileged container
    /// @param sysctls kernel settings of the container's namespaces, by their names
    /// @param masked whether paths of the kernel are hidden or read-only, as in every container
    ///   that is not privileged
    public record LinuxSpec(
            List<Namespace> namespaces,
            Resources resources,
            Optional<String> cgroupsPath,
            List<String> devices,
            Map<String, String> sysctls,
            boolean masked) {
        /// What a spec without the member `linux` says.
        public static final LinuxSpec NONE =
                new LinuxSpec(List.of(), Resources.NONE, Optional.empty());

        public LinuxSpec {
            namespaces = List.copyOf(namespaces);
            devices = List.copyOf(devices);
            sysctls = Map.copyOf(sysctls);
        }

        public LinuxSpec(
                List<Namespace> namespaces, Resources resources, Optional<String> cgroupsPath) {
            this(namespaces, resources, cgroupsPath, List.of(), Map.of(), false);
        }

        /// Where the pod's network namespace is. Meaningful only for a pod's pause container: the
        /// path of a workload is made from the pid that the shim reported for the pause, so it
        /// names the node's own namespace and must not be followed.
        ///
        /// @return empty if there is no entry for the network (the container uses the node's) or it
        ///   has no path (the runtime should make a new one)
        public Optional<Path> networkNamespace() {
            return namespace("network").flatMap(Namespace::path).map(Path::of);
        }

        /// @return whether the spec has an entry for the network; without, the container shares the
        ///   node's network
        public boolean hasNetworkNamespace() {
            return namespace("network").isPresent();
        }

        /// @param type as in the spec: `network`, `ipc`, `uts`, `pid`, ..
        public Optional<Namespace> namespace(String type) {
            return namespaces.stream()
                    .filter(namespace -> namespace.type().equals(type))
                    .findFirst();
        }
    }

    public record Namespace(String type, Optional<String> path) {}

    /// What a container may use. In an update, what is absent stays as it is.
    ///
    /// @param memoryLimit bytes; not positive: no limit
    /// @param cpuShares weight against other containers
    /// @param cpuQuota microseconds in each period; not positive: no quota
    /// @param cpuPeriod microseconds
    /// @param cpuBurst microseconds that may be saved up beyond one quota
    /// @param oomGroup whether all of the container ends when its memory limit ends a part of it
    ///   (cgroups(7), memory.oom.group); not changed by an update
    public record Resources(
            Optional<Long> memoryLimit,
            Optional<Long> cpuShares,
            Optional<Long> cpuQuota,
            Optional<Long> cpuPeriod,
            Optional<Long> cpuBurst,
            boolean oomGroup) {
        /// No limits.
        public static final Resources NONE =
                new Resources(
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        false);

        public Resources withMemoryLimit(long bytes) {
            return new Resources(
                    Optional.of(bytes), cpuShares, cpuQuota, cpuPeriod, cpuBurst, oomGroup);
        }

        public Resources withCpuQuota(long micros) {
            return new Resources(
                    memoryLimit, cpuShares, Optional.of(micros), cpuPeriod, cpuBurst, oomGroup);
        }
    }
}
