package dev.atoll.shim;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.CodeSource;

/// Where Atoll's launcher is: as the system property says, else in the distribution's `bin` beside
/// the jar of this class.
final class LauncherPath {
    static final String PROPERTY = "atoll.launcher";

    private static final String BESIDE_THE_JAR = "../bin/containerd-shim-wasmtime-v1";

    private LauncherPath() {}

    /// It need not be there: it is wanted only for native containers.
    ///
    /// @throws IOException with one line if the program's own place is not known
    static Path resolve() throws IOException {
        String configured = System.getProperty(PROPERTY);
        if (configured != null) {
            return Path.of(configured).toAbsolutePath();
        }
        CodeSource source = LauncherPath.class.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            throw new IOException(
                    "the launcher cannot be looked for beside the program, since the program's place is not known: name it by -D%s="
                            .formatted(PROPERTY));
        }
        try {
            Path jar = Path.of(source.getLocation().toURI()).toAbsolutePath();
            return jar.resolveSibling(BESIDE_THE_JAR).normalize();
        } catch (URISyntaxException e) {
            throw new IOException(
                    "the program's place %s is not a path: name the launcher by -D%s="
                            .formatted(source.getLocation(), PROPERTY),
                    e);
        }
    }
}
