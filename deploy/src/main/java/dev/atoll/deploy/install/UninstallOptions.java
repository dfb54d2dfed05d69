package dev.atoll.deploy.install;

import java.nio.file.Path;
import java.util.Optional;

/// What the operator wants; the members that [InstallOptions] has, too, mean the same.
///
/// @param force end the pods that run
public record UninstallOptions(
        Path host,
        String prefix,
        Optional<String> containerd,
        Optional<String> restartCommand,
        boolean force) {}
