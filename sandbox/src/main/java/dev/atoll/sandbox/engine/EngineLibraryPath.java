package dev.atoll.sandbox.engine;

import dev.atoll.sandbox.SandboxFailure;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Optional;

/// Where `libatoll_engine.so` is: as configured, else as the system property says, else in the
/// distribution's `lib` beside the jar of this class.
final class EngineLibraryPath {
    static final String PROPERTY = "atoll.engine.library";

    private static final String BESIDE_THE_JAR = "../lib/libatoll_engine.so";

    private EngineLibraryPath() {}

    static Path resolve(Optional<Path> configured) {
        return configured
                .or(() -> Optional.ofNullable(System.getProperty(PROPERTY)).map(Path::of))
                .orElseGet(EngineLibraryPath::besideTheJar)
                .toAbsolutePath()
                .normalize();
    }

    private static Path besideTheJar() {
        CodeSource source = EngineLibraryPath.class.getProtectionDomain().getCodeSource();
        if (source == null || source.getLocation() == null) {
            throw new SandboxFailure(
                    "the engine library cannot be looked for beside the program, since the program's place is not known: name it by -D%s="
                            .formatted(PROPERTY));
        }
        try {
            Path jar = Path.of(source.getLocation().toURI()).toAbsolutePath();
            return jar.resolveSibling(BESIDE_THE_JAR);
        } catch (URISyntaxException e) {
            throw new SandboxFailure(
                    "the program's place %s is not a path: name the engine library by -D%s="
                            .formatted(source.getLocation(), PROPERTY),
                    e);
        }
    }
}
