package dev.atoll.oci.registry;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.MediaTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Pushes wasm files as one OCI artifact (CNCF TAG Runtime, "Wasm OCI Artifact layout") that
/// containerd's CRI runs without a `command`: beside the layout's fields the config has what an
/// image config has, `config.Entrypoint` and an empty `rootfs.diff_ids`. It is a single manifest,
/// since CRI looks for the node's platform in an index.
///
/// Thread-safe: immutable.
public final class ArtifactPusher {
    private static final String SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH";
    private static final String CREATED_ANNOTATION = "org.opencontainers.image.created";

    private final RegistryClient registry;
    private final Map<String, String> environment;
    private final InstantSource clock;

    public ArtifactPusher(RegistryClient registry) {
        this(registry, System.getenv(), InstantSource.system());
    }

    /// @param environment may have `SOURCE_DATE_EPOCH`, the time to write instead of now, so that
    ///   the same files make the same artifact (reproducible-builds.org)
    ArtifactPusher(RegistryClient registry, Map<String, String> environment, InstantSource clock) {
        this.registry = registry;
        this.environment = Map.copyOf(environment);
        this.clock = clock;
    }

    /// @param files at least one; each is a layer with its file name as title
    /// @param reference `registry/repository:tag`
    /// @return the manifest's descriptor
    /// @throws InvalidImage if a file is missing or no wasm binary; nothing is pushed then
    /// @throws RegistryException if the registry cannot be reached or refuses
    public Descriptor push(List<Path> files, String reference, PushOptions options) {
        if (files.isEmpty()) {
            throw new InvalidImage("there is nothing to push: expected at least one .wasm file");
        }
        List<Program> programs = files.stream().map(ArtifactPusher::program).toList();
        checkTitles(programs);
        String created = created().toString();
        var layers = new ArrayList<Blob>();
        for (Program program : programs) {
            layers.add(
                    new Blob.InFile(
                            MediaTypes.WASM_LAYER,
                            Map.of(MediaTypes.TITLE_ANNOTATION, program.title()),
                            program.file()));
        }
        var annotations = new HashMap<String, String>(options.annotations());
        annotations.putIfAbsent(CREATED_ANNOTATION, created);
        return registry.push(
                new RawArtifact(
                        Optional.empty(),
                        new Blob.Text(
                                MediaTypes.WASM_CONFIG,
                                Map.of(),
                                config(programs, created, options).toString()),
                        layers,
                        annotations),
                reference);
    }

    /// The digests make each artifact's config another: CRI takes the config's digest for the
    /// image's id, so artifacts with equal configs would be one image to it.
    private static JsonObject config(List<Program> programs, String created, PushOptions options) {
        var json = new JsonObject();
        json.addProperty("created", created);
        options.author().ifPresent(author -> json.addProperty("author", author));
        json.addProperty("architecture", "wasm");
        WasmKind kind =
                programs.stream().anyMatch(program -> program.kind() == WasmKind.COMPONENT)
                        ? WasmKind.COMPONENT
                        : WasmKind.MODULE;
        json.addProperty("os", kind.os());
        var digests = new JsonArray();
        programs.forEach(program -> digests.add(program.digest().toString()));
        json.add("layerDigests", digests);
        var command = new JsonArray();
        command.add(options.entrypoint().orElse("/" + programs.getFirst().title()));
        var process = new JsonObject();
        process.add("Entrypoint", command);
        json.add("config", process);
        var rootfs = new JsonObject();
        rootfs.addProperty("type", "layers");
        rootfs.add("diff_ids", new JsonArray());
        json.add("rootfs", rootfs);
        return json;
    }

    private Instant created() {
        String epoch = environment.get(SOURCE_DATE_EPOCH);
        if (epoch == null || epoch.isEmpty()) {
            return clock.instant().truncatedTo(ChronoUnit.SECONDS);
        }
        try {
            return Instant.ofEpochSecond(Long.parseLong(epoch));
        } catch (NumberFormatException | DateTimeException e) {
            throw new InvalidImage(
                    "%s is %s: expected seconds since 1970, correct or unset it"
                            .formatted(SOURCE_DATE_EPOCH, OneLine.quoted(epoch)),
                    e);
        }
    }

    private static Program program(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new InvalidImage("there is no file %s: expected a .wasm file".formatted(file));
        }
        try {
            return new Program(
                    file, file.getFileName().toString(), WasmKind.of(file), Sha256.of(file));
        } catch (IOException e) {
            throw new InvalidImage("reading %s failed: %s".formatted(file, e), e);
        }
    }

    private static void checkTitles(List<Program> programs) {
        var titles = new HashSet<String>();
        for (Program program : programs) {
            if (!titles.add(program.title())) {
                throw new InvalidImage(
                        "two files are called %s: a pod picks one by its name, rename one"
                                .formatted(program.title()));
            }
        }
    }

    private record Program(Path file, String title, WasmKind kind, Digest digest) {}
}
