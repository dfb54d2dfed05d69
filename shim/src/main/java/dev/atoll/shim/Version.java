package dev.atoll.shim;

import java.util.Objects;

/// The version of this build.
final class Version {
    private Version() {}

    /// As the jar's manifest says; `development` where there is no jar.
    static String current() {
        return Objects.requireNonNullElse(
                Version.class.getPackage().getImplementationVersion(), "development");
    }
}
