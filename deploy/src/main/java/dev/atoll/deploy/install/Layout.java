package dev.atoll.deploy.install;

/// Where things lie on a host.
///
/// @param prefix the installation's own directory
record Layout(String prefix) {
    static final String LAUNCHER_NAME = "containerd-shim-wasmtime-v1";
    static final String RUNTIME_TYPE = "io.containerd.wasmtime.v1";
    static final String UNIT = "atolld.service";
    static final String UNIT_FILE = "/etc/systemd/system/" + UNIT;
    static final String SYSCTL_FILE = "/etc/sysctl.d/90-atoll.conf";
    static final String MAP_COUNT = "/proc/sys/vm/max_map_count";
    static final String RUN_DIRECTORY = "/run/atoll";
    static final String STATE_DIRECTORY = "/var/lib/atoll";
    static final String CODE_CACHE = STATE_DIRECTORY + "/code";
    static final String LOCK = "/run/lock/atoll-install.lock";

    String distribution(String name) {
        return prefix + "/" + name;
    }

    /// The link to the distribution in use.
    String current() {
        return prefix + "/current";
    }

    String launcher() {
        return current() + "/bin/" + LAUNCHER_NAME;
    }

    String record() {
        return prefix + "/install.json";
    }

    /// Where a launcher of somebody else is kept while ours is in its place.
    String foreignLauncher() {
        return prefix + "/replaced-" + LAUNCHER_NAME;
    }
}
