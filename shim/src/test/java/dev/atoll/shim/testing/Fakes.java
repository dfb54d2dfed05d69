package dev.atoll.shim.testing;

import dev.atoll.oci.program.Entrypoint;
import dev.atoll.oci.program.ProgramFinder;
import dev.atoll.oci.program.WasmProgram;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.shim.task.BundleSpecs;
import dev.atoll.shim.task.PodRecords;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Small fakes and values.
public final class Fakes {
    /// Finds whatever is asked for in the root file system.
    public static final ProgramFinder PROGRAMS =
            (_, argument) -> new WasmProgram.RootfsFile(Entrypoint.parse(argument), "an image");

    /// A container whose id begins with `pause` is a pod's pause.
    public static final BundleSpecs SPECS =
            (_, key) ->
                    spec(
                            key.id().startsWith("pause")
                                    ? Map.of("io.kubernetes.cri.container-type", "sandbox")
                                    : Map.of(
                                            "io.kubernetes.cri.container-type",
                                            "container",
                                            "io.kubernetes.cri.sandbox-name",
                                            "web"));

    /// Every pod has the handler `wasmtime`.
    public static final PodRecords PODS = _ -> new CriPod(Optional.of("wasmtime"), Map.of());

    private Fakes() {}

    public static RuntimeSpec spec(Map<String, String> annotations) {
        return new RuntimeSpec(
                "1.2.0",
                Optional.of(
                        new RuntimeSpec.ProcessSpec(
                                false,
                                new RuntimeSpec.User(0, 0, List.of()),
                                List.of("/app.wasm"),
                                List.of(),
                                "/")),
                new RuntimeSpec.Root("rootfs", false),
                Optional.empty(),
                List.of(),
                annotations,
                new RuntimeSpec.LinuxSpec(
                        List.of(),
                        RuntimeSpec.Resources.NONE.withMemoryLimit(1 << 20),
                        Optional.empty()));
    }
}
