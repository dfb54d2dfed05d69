package dev.atoll.deploy.install;

import java.util.List;
import java.util.Optional;

/// A containerd of the host, as its process shows it.
///
/// @param binary the program
/// @param config the configuration file that it was started with; it may be missing
/// @param socket its gRPC socket
/// @param path the directories in which it looks for programs such as our launcher
/// @param unit the systemd unit that it belongs to
record RunningContainerd(
        long pid,
        String binary,
        String config,
        String socket,
        List<String> path,
        Optional<String> unit) {
    RunningContainerd {
        path = List.copyOf(path);
    }
}
