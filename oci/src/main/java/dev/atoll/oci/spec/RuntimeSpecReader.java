package dev.atoll.oci.spec;

import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.json.JsonDocument;
import dev.atoll.oci.json.JsonNode;
import dev.atoll.oci.spec.RuntimeSpec.Capabilities;
import dev.atoll.oci.spec.RuntimeSpec.ConsoleSize;
import dev.atoll.oci.spec.RuntimeSpec.LinuxSpec;
import dev.atoll.oci.spec.RuntimeSpec.MountSpec;
import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.oci.spec.RuntimeSpec.Root;
import dev.atoll.oci.spec.RuntimeSpec.User;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Reads a bundle's `config.json` (OCI runtime-spec, config.md) within bounds. Members that Atoll
/// does not act on are not looked at. Stateless.
public final class RuntimeSpecReader {
    static final int MAX_BYTES = 4 << 20;

    /// Entries in `process.args` and in `process.env`, each.
    static final int MAX_STRINGS = 4096;

    /// Bytes of `process.args` and `process.env` together, each with its final NUL: what Linux
    /// grants a program by default (a quarter of an 8 MiB stack, execve(2)).
    static final long MAX_STRING_BYTES = 2 << 20;

    private static final int MAX_MOUNTS = 4096;
    private static final int MAX_MOUNT_OPTIONS = 256;
    private static final int MAX_ANNOTATIONS = 4096;
    private static final int MAX_GROUPS = 65536;
    private static final int MAX_NAMESPACES = 64;
    private static final int MAX_DEVICES = 65536;
    private static final int MAX_SYSCTLS = 4096;
    private static final int MAX_CAPABILITIES = 256;
    private static final int MAX_RLIMITS = 64;
    private static final int MAX_PATHS = 4096;
    private static final long MAX_ID = 0xffff_fffeL;
    private static final long MAX_UMASK = 0777;

    private RuntimeSpecReader() {}

    /// Reads `config.json` in the directory `bundle`.
    ///
    /// @param container how messages call the container
    /// @throws InvalidSpec if the file is missing, cannot be read or is not what is expected
    public static RuntimeSpec read(Path bundle, String container) {
        return parse(node(bundle, container));
    }

    /// Reads it as [#read] does, whole.
    static JsonNode node(Path bundle, String container) {
        Path file = bundle.resolve("config.json");
        JsonDocument document = document(container);
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                document.checkSize(Math.max(bytes.length, Files.size(file)));
            }
        } catch (NoSuchFileException e) {
            throw new InvalidSpec(
                    "%s: there is no file %s: containerd must write it before the container is created"
                            .formatted(document.subject(), file),
                    e);
        } catch (IOException e) {
            throw new InvalidSpec(
                    "%s: reading %s failed: %s".formatted(document.subject(), file, e.getMessage()),
                    e);
        }
        return document.parse(bytes);
    }

    /// @throws InvalidSpec if `bytes` is not a runtime spec
    static RuntimeSpec parse(byte[] bytes, String container) {
        return parse(document(container).parse(bytes));
    }

    /// Reads the runtime spec's member `process` alone, as it comes with an exec.
    ///
    /// @param subject how messages call it
    /// @throws InvalidSpec if `bytes` is not a process
    public static ProcessSpec readProcess(byte[] bytes, String subject) {
        return process(documentCalled(subject).parse(bytes));
    }

    private static JsonDocument document(String container) {
        return documentCalled("config.json of container " + container);
    }

    private static JsonDocument documentCalled(String subject) {
        return new JsonDocument(
                subject,
                MAX_BYTES,
                (message, cause) ->
                        cause == null ? new InvalidSpec(message) : new InvalidSpec(message, cause));
    }

    private static RuntimeSpec parse(JsonNode json) {
        return new RuntimeSpec(
                json.requiredText("ociVersion"),
                json.member("process").map(RuntimeSpecReader::process),
                root(json.required("root", "an object")),
                json.optionalText("hostname"),
                json.elements("mounts", MAX_MOUNTS).stream().map(RuntimeSpecReader::mount).toList(),
                json.textMap("annotations", MAX_ANNOTATIONS),
                json.member("linux").map(RuntimeSpecReader::linux).orElse(LinuxSpec.NONE));
    }

    private static ProcessSpec process(JsonNode json) {
        List<String> args = json.texts("args", MAX_STRINGS);
        if (args.isEmpty()) {
            throw json.error("args: expected at least one string, found none");
        }
        List<String> env = json.texts("env", MAX_STRINGS);
        long bytes = bytes(args) + bytes(env);
        if (bytes > MAX_STRING_BYTES) {
            throw json.error(
                    "args and env: expected at most %d bytes together, found %d"
                            .formatted(MAX_STRING_BYTES, bytes));
        }
        String cwd = json.requiredText("cwd");
        if (!cwd.startsWith("/")) {
            throw json.error("cwd: expected an absolute path, found a relative one");
        }
        return new ProcessSpec(
                json.truth("terminal"),
                json.member("user").map(RuntimeSpecReader::user).orElse(new User(0, 0, List.of())),
                args,
                env,
                cwd,
                json.member("consoleSize").map(RuntimeSpecReader::consoleSize),
                json.member("capabilities")
                        .map(RuntimeSpecReader::capabilities)
                        .orElse(Capabilities.NONE),
                openFiles(json.elements("rlimits", MAX_RLIMITS)));
    }

    private static Capabilities capabilities(JsonNode json) {
        return new Capabilities(
                json.texts("effective", MAX_CAPABILITIES), json.texts("ambient", MAX_CAPABILITIES));
    }

    /// Other limits are a process's, which a guest is not.
    private static Optional<Long> openFiles(List<JsonNode> rlimits) {
        return rlimits.stream()
                .filter(node -> node.requiredText("type").equals("RLIMIT_NOFILE"))
                .findFirst()
                .flatMap(node -> node.member("soft"))
                .map(JsonNode::unsigned);
    }

    private static ConsoleSize consoleSize(JsonNode json) {
        return new ConsoleSize(
                json.optionalInteger("width").orElse(0L),
                json.optionalInteger("height").orElse(0L));
    }

    private static long bytes(List<String> strings) {
        long sum = 0;
        for (String string : strings) {
            sum += string.getBytes(StandardCharsets.UTF_8).length + 1L;
        }
        return sum;
    }

    private static User user(JsonNode json) {
        return new User(
                json.member("uid").map(RuntimeSpecReader::id).orElse(0L),
                json.member("gid").map(RuntimeSpecReader::id).orElse(0L),
                json.elements("additionalGids", MAX_GROUPS).stream()
                        .map(RuntimeSpecReader::id)
                        .toList(),
                json.member("umask").map(RuntimeSpecReader::umask));
    }

    private static long umask(JsonNode json) {
        return within(json, MAX_UMASK);
    }

    private static long id(JsonNode json) {
        return within(json, MAX_ID);
    }

    private static long within(JsonNode json, long most) {
        long number = json.integer();
        if (number < 0 || number > most) {
            throw json.error("expected a number from 0 to %d, found %d".formatted(most, number));
        }
        return number;
    }

    private static Root root(JsonNode json) {
        String path = json.requiredText("path");
        if (path.isEmpty()) {
            throw json.error("path: expected a path, found an empty string");
        }
        return new Root(path, json.truth("readonly"));
    }

    private static MountSpec mount(JsonNode json) {
        String destination = json.requiredText("destination");
        if (!destination.startsWith("/")) {
            throw json.error("destination: expected an absolute path, found another");
        }
        return new MountSpec(
                destination,
                json.textOrEmpty("type"),
                json.textOrEmpty("source"),
                json.texts("options", MAX_MOUNT_OPTIONS));
    }

    private static LinuxSpec linux(JsonNode json) {
        return new LinuxSpec(
                json.elements("namespaces", MAX_NAMESPACES).stream()
                        .map(node ->
                                new Namespace(node.requiredText("type"), node.optionalText("path")))
                        .toList(),
                json.member("resources").map(ResourcesReader::read).orElse(Resources.NONE),
                json.optionalText("cgroupsPath"),
                json.elements("devices", MAX_DEVICES).stream()
                        .map(node -> node.requiredText("path"))
                        .toList(),
                json.textMap("sysctl", MAX_SYSCTLS),
                !json.texts("maskedPaths", MAX_PATHS).isEmpty()
                        || !json.texts("readonlyPaths", MAX_PATHS).isEmpty());
    }
}
