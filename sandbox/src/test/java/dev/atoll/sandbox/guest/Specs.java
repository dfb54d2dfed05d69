package dev.atoll.sandbox.guest;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.MountSpec;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runtime specs for tests.
final class Specs {
    private List<String> args = List.of("/app.wasm");
    private final List<String> env = new ArrayList<>();
    private final List<MountSpec> mounts = new ArrayList<>();
    private final List<RuntimeSpec.Namespace> namespaces = new ArrayList<>();
    private final Map<String, String> annotations = new HashMap<>(Map.of("annotation", "value"));
    private Resources resources = Resources.NONE;
    private Optional<String> cgroupsPath = Optional.empty();
    private boolean terminal;
    private boolean process = true;
    private boolean readonly;

    Specs args(String... values) {
        args = List.of(values);
        return this;
    }

    Specs env(String value) {
        env.add(value);
        return this;
    }

    Specs mount(String destination, String type, String source, String... options) {
        mounts.add(new MountSpec(destination, type, source, List.of(options)));
        return this;
    }

    Specs networkNamespace(String path) {
        namespaces.add(new RuntimeSpec.Namespace("network", Optional.of(path)));
        return this;
    }

    /// As `ctr run` asks for.
    Specs newNetworkNamespace() {
        namespaces.add(new RuntimeSpec.Namespace("network", Optional.empty()));
        return this;
    }

    Specs annotation(String name, String value) {
        annotations.put(name, value);
        return this;
    }

    Specs memoryLimit(long bytes) {
        resources = resources.withMemoryLimit(bytes);
        return this;
    }

    Specs cgroupsPath(String path) {
        cgroupsPath = Optional.of(path);
        return this;
    }

    Specs terminal() {
        terminal = true;
        return this;
    }

    Specs withoutProcess() {
        process = false;
        return this;
    }

    Specs readonly() {
        readonly = true;
        return this;
    }

    RuntimeSpec spec() {
        return new RuntimeSpec(
                "1.1.0",
                process ? Optional.of(processSpec()) : Optional.empty(),
                new RuntimeSpec.Root("rootfs", readonly),
                Optional.empty(),
                mounts,
                annotations,
                new RuntimeSpec.LinuxSpec(namespaces, resources, cgroupsPath));
    }

    private RuntimeSpec.ProcessSpec processSpec() {
        return new RuntimeSpec.ProcessSpec(
                terminal, new RuntimeSpec.User(0, 0, List.of()), args, env, "/");
    }
}
