package dev.atoll.shim;

import com.google.gson.JsonObject;
import dev.atoll.oci.containerd.ContainerdClient;
import dev.atoll.oci.program.ContainerdProgramFinder;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpecReader;
import dev.atoll.sandbox.SandboxException;
import dev.atoll.sandbox.engine.EngineInfo;
import dev.atoll.sandbox.guest.NodeSettings;
import dev.atoll.sandbox.guest.SandboxConfig;
import dev.atoll.sandbox.guest.WasmSandbox;
import dev.atoll.shim.config.NodeConfig;
import java.io.IOException;
import java.util.List;

/// The program `atolld`: the daemon with containerd's content and the wasm sandbox behind it.
public final class Atolld {
    private Atolld() {}

    public static void main(String[] arguments) {
        System.exit(DaemonProcess.run(List.of(arguments), Atolld::open, System.out, System.err));
    }

    private static Backend open(DaemonFlags flags) throws IOException {
        NodeSettings settings = NodeConfig.read(flags.config());
        WasmSandbox sandbox;
        try {
            sandbox =
                    WasmSandbox.open(
                            SandboxConfig.in(flags.stateDirectory())
                                    .withLibrary(flags.engineLibrary())
                                    .withSettings(settings));
        } catch (SandboxException e) {
            throw new IOException(e.getMessage(), e);
        }
        ContainerdClient containerd = new ContainerdClient(flags.containerd());
        return new Backend(
                (bundle, container) -> RuntimeSpecReader.read(bundle, container.id()),
                pause -> containerd.pod(pause).orElse(CriPod.NONE),
                new ContainerdProgramFinder(containerd),
                sandbox,
                settings.nativeRuntime(),
                () -> json(sandbox.describe()),
                new ContainerdGreeting(containerd));
    }

    private static String json(EngineInfo engine) {
        var json = new JsonObject();
        json.addProperty("wasmtime", engine.wasmtime());
        json.addProperty("slots", engine.slots());
        json.addProperty("live", engine.live());
        json.addProperty("modules", engine.modules());
        json.addProperty("views", engine.views());
        json.addProperty("memoryLimit", engine.memoryLimit());
        json.addProperty("memoryUsed", engine.memoryUsed());
        return json.toString();
    }
}
