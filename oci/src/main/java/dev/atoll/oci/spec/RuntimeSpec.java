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

    public record ProcessSpec(
            boolean terminal, User user, List<String> args, List<String> env, String cwd) {
        public ProcessSpec {
            args = List.copyOf(args);
            env = List.copyOf(env);
        }
    }

    public record User(long uid, long gid, List<Long> additionalGids) {
        public User {
            additionalGids = List.copyOf(additionalGids);
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
    public record LinuxSpec(
            List<Namespace> namespaces,
            Resources resources,
            Optional<String> cgroupsPath,
            List<String> devices) {
        /// What a spec without the member `linux` says.
        public static final LinuxSpec NONE =
                new LinuxSpec(List.of(), Resources.NONE, Optional.empty());

        public LinuxSpec {
            namespaces = List.copyOf(namespaces);
            devices = List.copyOf(devices);
        }

        public LinuxSpec(
                List<Namespace> namespaces, Resources resources, Optional<String> cgroupsPath) {
            this(namespaces, resources, cgroupsPath, List.of());
        }

        /// Where the pod's network namespace is. Meaningful only for a pod's pause container: the
        /// path of a workload is made from the pid that the shim reported for the pause, so it
        /// names the node's own namespace and must not be followed.
        ///
        /// @return empty if there is no entry for the network (the container uses the node's) or it
        ///   has no path (the runtime should make a new one)
        public Optional<Path> networkNamespace() {
            return namespaces.stream()
                    .filter(namespace -> namespace.type().equals("network"))
                    .findFirst()
                    .flatMap(Namespace::path)
                    .map(Path::of);
        }

        /// @return whether the spec has an entry for the network; without, the container shares the
        ///   node's network
        public boolean hasNetworkNamespace() {
            return namespaces.stream().anyMatch(namespace -> namespace.type().equals("network"));
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
    public record Resources(
            Optional<Long> memoryLimit,
            Optional<Long> cpuShares,
            Optional<Long> cpuQuota,
            Optional<Long> cpuPeriod,
            Optional<Long> cpuBurst) {
        /// No limits.
        public static final Resources NONE =
                new Resources(
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty());

        public Resources withMemoryLimit(long bytes) {
            return new Resources(Optional.of(bytes), cpuShares, cpuQuota, cpuPeriod, cpuBurst);
        }

        public Resources withCpuQuota(long micros) {
            return new Resources(memoryLimit, cpuShares, Optional.of(micros), cpuPeriod, cpuBurst);
        }
    }
}
