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
    private final List<String> devices = new ArrayList<>();
    private boolean masked = true;
    private RuntimeSpec.Capabilities capabilities = RuntimeSpec.Capabilities.NONE;
    private RuntimeSpec.User user = new RuntimeSpec.User(0, 0, List.of());
    private Optional<Long> openFiles = Optional.empty();

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
        return namespace("pid");
    }

    /// As `ctr run` asks for.
    Specs newNetworkNamespace() {
        return namespace("network").namespace("pid");
    }

    Specs namespace(String type) {
        namespaces.add(new RuntimeSpec.Namespace(type, Optional.empty()));
        return this;
    }

    Specs device(String path) {
        devices.add(path);
        return this;
    }

    /// As containerd writes `privileged: true` where it is not to add the node's devices.
    Specs privileged() {
        masked = false;
        return capability("CAP_SYS_ADMIN");
    }

    Specs unmasked() {
        masked = false;
        return this;
    }

    Specs capability(String name) {
        capabilities = new RuntimeSpec.Capabilities(List.of(name), List.of());
        return this;
    }

    Specs user(long uid, long gid, Long... groups) {
        user = new RuntimeSpec.User(uid, gid, List.of(groups));
        return this;
    }

    Specs openFiles(long most) {
        openFiles = Optional.of(most);
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
                new RuntimeSpec.LinuxSpec(
                        namespaces, resources, cgroupsPath, devices, Map.of(), masked));
    }

    RuntimeSpec.ProcessSpec processSpec() {
        return new RuntimeSpec.ProcessSpec(
                terminal, user, args, env, "/", Optional.empty(), capabilities, openFiles);
    }
}
