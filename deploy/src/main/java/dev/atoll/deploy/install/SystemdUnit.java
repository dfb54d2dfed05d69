package dev.atoll.deploy.install;

/// The service that starts the daemon before containerd, and again after it failed.
///
/// The service manager restricts it in nothing: the daemon enters and makes namespaces, and starts
/// the node's own runtime for native containers, which would inherit each restriction.
final class SystemdUnit {
    private SystemdUnit() {}

    static String text(Layout layout, RunningContainerd containerd) {
        return """
        # Written by `atoll install`, removed by `atoll uninstall`.
        [Unit]
        Description=Atoll, host of WebAssembly guests
        Before=%s

        [Service]
        ExecStart=%s/bin/atolld --containerd %s
        Restart=on-failure
        RestartSec=1
        KillMode=process
        LimitNOFILE=1048576
        TasksMax=infinity

        [Install]
        WantedBy=multi-user.target
        """
                .formatted(
                        containerd.unit().orElse("containerd.service"),
                        layout.current(),
                        containerd.socket());
    }
}
