package dev.atoll.sandbox.code;

import dev.atoll.oci.program.Entrypoint;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Where the first argument of a container may lead in its root file system. Stateless.
final class ProgramPaths {
    /// What containerd gives to containers whose image has no `PATH` (`pkg/oci/spec.go`).
    private static final String USUAL_PATH =
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private ProgramPaths() {}

    /// Absolute paths, the first of which is in the working directory; a name without a slash may
    /// also be a command, looked for along the container's `PATH`.
    static List<String> of(Entrypoint entrypoint, ProcessSpec process) {
        Path directory = Path.of("/").resolve(process.cwd());
        String name = entrypoint.path();
        List<String> paths = new ArrayList<>();
        paths.add(directory.resolve(name).normalize().toString());
        if (!name.isEmpty() && name.indexOf('/') < 0) {
            for (String entry : path(process.env()).split(":", -1)) {
                paths.add(directory.resolve(entry).resolve(name).normalize().toString());
            }
        }
        return paths;
    }

    private static String path(List<String> environment) {
        return environment.stream()
                .filter(variable -> variable.startsWith("PATH="))
                .reduce((_, last) -> last)
                .map(variable -> variable.substring("PATH=".length()))
                .orElse(USUAL_PATH);
    }

    /// Whether the user means WebAssembly, whatever is or is not there.
    static boolean saysWasm(Entrypoint entrypoint) {
        return entrypoint.export().isPresent()
                || entrypoint.path().endsWith(".wasm")
                || entrypoint.path().endsWith(".wat");
    }
}
