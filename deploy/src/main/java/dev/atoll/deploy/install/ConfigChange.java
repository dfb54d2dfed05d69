package dev.atoll.deploy.install;

import java.util.Optional;

/// One file of containerd's configuration, before and after.
///
/// @param file its path on the host, without links
/// @param before empty if there is no such file
/// @param after what it is to contain
/// @param merged whether the file adds to the main one, which imports it or is made from it; else
///   it is the main one
record ConfigChange(String file, Optional<String> before, String after, boolean merged) {
    boolean isNeeded() {
        return !before.equals(Optional.of(after));
    }
}
