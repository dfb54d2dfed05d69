package dev.atoll.oci.spec;

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

    public record LinuxSpec(
            List<Namespace> namespaces, Resources resources, Optional<String> cgroupsPath) {
        public LinuxSpec {
            namespaces = List.copyOf(namespaces);
        }
    }

    public record Namespace(String type, Optional<String> path) {}

    /// @param memoryLimit bytes; absent or not positive in the spec means no limit
    /// @param cpuQuota microseconds per period; absent or not positive means no quota
    public record Resources(
            Optional<Long> memoryLimit,
            Optional<Long> cpuShares,
            Optional<Long> cpuQuota,
            Optional<Long> cpuPeriod) {}
}
