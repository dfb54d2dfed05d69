package dev.atoll.shim.relay;

import com.google.protobuf.Any;
import dev.atoll.api.containerd.bootstrap.BootstrapParams;
import dev.atoll.api.containerd.bootstrap.Extension;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.OneLine;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `containerd-shim-runc-v2`, run as containerd runs it: through the launcher, which gives it
/// containerd's umask and OOM score instead of the daemon's. Immutable.
final class RuncShim implements RuntimeShim {
    /// Usually a few tens of milliseconds; containerd itself waits as long as its caller does.
    private static final Duration START_DEADLINE = Duration.ofSeconds(30);

    /// containerd's own limit for a shim's `delete` (`io.containerd.timeout.shim.cleanup`).
    private static final Duration DELETE_DEADLINE = Duration.ofSeconds(5);

    private final String name;
    private final Path launcher;
    private final Path containerd;
    private final Path containerdTtrpc;

    /// @param name of the program on `PATH`, or its path
    /// @param containerd its gRPC socket
    /// @param containerdTtrpc its socket for events
    RuncShim(String name, Path launcher, Path containerd, Path containerdTtrpc) {
        this.name = name;
        this.launcher = launcher;
        this.containerd = containerd;
        this.containerdTtrpc = containerdTtrpc;
    }

    @Override
    public ShimAddress start(ContainerKey container, Path bundle, Optional<Any> options)
            throws IOException {
        BootstrapParams.Builder params =
                BootstrapParams.newBuilder()
                        .setInstanceId(container.id())
                        .setNamespace(container.namespace())
                        .setContainerdTtrpcAddress(containerdTtrpc.toString())
                        .setContainerdGrpcAddress(containerd.toString());
        options.ifPresent(any -> params.addExtensions(Extension.newBuilder().setValue(any)));
        Programs.Result result =
                run(
                        container,
                        bundle,
                        "start",
                        params.build().toByteArray(),
                        Programs.Errors.WITH_OUTPUT,
                        START_DEADLINE);
        if (result.status() != 0) {
            throw failed("start", result);
        }
        try {
            return ShimAddress.parse(result.output());
        } catch (IOException e) {
            throw new IOException("%s cannot be used: %s".formatted(name, e.getMessage()), e);
        }
    }

    @Override
    public DeleteResponse delete(ContainerKey container, Path bundle) throws IOException {
        Programs.Result result =
                run(
                        container,
                        bundle,
                        "delete",
                        new byte[0],
                        Programs.Errors.TO_LOG,
                        DELETE_DEADLINE);
        if (result.status() != 0) {
            throw failed("delete", result);
        }
        return DeleteResponse.parseFrom(result.output());
    }

    private Programs.Result run(
            ContainerKey container,
            Path bundle,
            String verb,
            byte[] input,
            Programs.Errors errors,
            Duration deadline)
            throws IOException {
        List<String> command =
                List.of(
                        launcher.toString(),
                        "runtime",
                        program().toString(),
                        "-namespace",
                        container.namespace(),
                        "-id",
                        container.id(),
                        "-address",
                        containerd.toString(),
                        verb);
        return Programs.run(command, bundle, environment(container), input, errors, deadline);
    }

    /// Nothing of the daemon's own environment but where programs are: the shim looks for runc
    /// there.
    private Map<String, String> environment(ContainerKey container) {
        Map<String, String> environment = new HashMap<>();
        environment.put("PATH", searchPath());
        environment.put("TTRPC_ADDRESS", containerdTtrpc.toString());
        environment.put("GRPC_ADDRESS", containerd.toString());
        environment.put("NAMESPACE", container.namespace());
        environment.put("GOMAXPROCS", "2");
        environment.put("MAX_SHIM_VERSION", "2");
        return environment;
    }

    @Override
    public Path program() throws IOException {
        if (name.startsWith("/")) {
            return executable(Path.of(name)).orElseThrow(() -> missing("there is no such program"));
        }
        List<String> searched = new ArrayList<>();
        for (String directory : searchPath().split(File.pathSeparator, -1)) {
            if (directory.startsWith("/")) {
                Optional<Path> found = executable(Path.of(directory, name));
                if (found.isPresent()) {
                    return found.get();
                }
                searched.add(directory);
            }
        }
        throw missing("not found in " + String.join(", ", searched));
    }

    private static Optional<Path> executable(Path path) {
        return Files.isExecutable(path) && !Files.isDirectory(path)
                ? Optional.of(path)
                : Optional.empty();
    }

    private IOException missing(String why) {
        return new IOException(
                "native containers need %s: %s; install containerd's shim for runc, or name it in Atoll's configuration (native: runtime)"
                        .formatted(name, why));
    }

    private static String searchPath() {
        String path = System.getenv("PATH");
        return path == null || path.isEmpty()
                ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                : path;
    }

    private IOException failed(String verb, Programs.Result result) {
        String text = result.output().toStringUtf8().strip();
        return new IOException(
                "%s %s failed with exit status %d: %s"
                        .formatted(
                                name,
                                verb,
                                result.status(),
                                text.isEmpty() ? "it wrote nothing" : OneLine.of(text)));
    }
}
