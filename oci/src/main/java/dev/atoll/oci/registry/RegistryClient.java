package dev.atoll.oci.registry;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.MediaTypes;
import dev.atoll.oci.image.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import land.oras.ContainerRef;
import land.oras.Index;
import land.oras.Manifest;
import land.oras.Registry;
import land.oras.exception.OrasException;

/// Pushes manifests and indexes as they are given. Credentials are those of the docker
/// configuration, as oras finds them. Thread-safe: immutable.
public final class RegistryClient {
    private final Registry registry;

    /// @param plainHttp speaks HTTP instead of HTTPS, as a registry on the same machine wants
    public RegistryClient(boolean plainHttp) {
        this.registry = Registry.builder().defaults().withInsecure(plainHttp).build();
    }

    /// Pushes config, layers and manifest.
    ///
    /// @param reference `registry/repository:tag`
    /// @return the manifest's descriptor
    /// @throws RegistryException if the registry cannot be reached or refuses
    public Descriptor push(RawArtifact artifact, String reference) {
        return to(
                reference,
                target -> {
                    Descriptor config = pushBlob(target, artifact.config());
                    var layers = new ArrayList<Descriptor>();
                    for (Blob layer : artifact.layers()) {
                        layers.add(pushBlob(target, layer));
                    }
                    JsonObject manifest = document(MediaTypes.OCI_MANIFEST);
                    artifact.artifactType()
                            .ifPresent(type -> manifest.addProperty("artifactType", type));
                    manifest.add("config", json(config));
                    manifest.add("layers", array(layers));
                    annotate(manifest, artifact.annotations());
                    // Made from text, oras sends it byte for byte; built by its methods, it would
                    // get an annotation with the time.
                    String text = manifest.toString();
                    registry.pushManifest(target, Manifest.fromJson(text));
                    return descriptor(MediaTypes.OCI_MANIFEST, text);
                });
    }

    /// Pushes an index of manifests that are already in the same repository.
    ///
    /// @return the index's descriptor
    /// @throws RegistryException if the registry cannot be reached or refuses
    public Descriptor pushIndex(List<Descriptor> entries, String reference) {
        return to(
                reference,
                target -> {
                    JsonObject index = document(MediaTypes.OCI_INDEX);
                    index.add("manifests", array(entries));
                    String text = index.toString();
                    registry.pushIndex(target, Index.fromJson(text));
                    return descriptor(MediaTypes.OCI_INDEX, text);
                });
    }

    private Descriptor pushBlob(ContainerRef target, Blob blob) {
        // Blobs go under their digest, whatever tag the reference has. Digest and size are our own:
        // what the manifest says must be true for what was read here.
        return switch (blob) {
            case Blob.InFile(String type, Map<String, String> annotations, Path file) -> {
                try {
                    Digest digest = Sha256.of(file);
                    registry.pushBlob(target, file);
                    yield new Descriptor(
                            type, digest, Files.size(file), annotations, Optional.empty());
                } catch (IOException e) {
                    throw new InvalidImage("reading %s failed: %s".formatted(file, e), e);
                }
            }
            case Blob.Text(String type, Map<String, String> annotations, String text) -> {
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                registry.pushBlob(target, bytes);
                yield new Descriptor(
                        type, Sha256.of(bytes), bytes.length, annotations, Optional.empty());
            }
        };
    }

    private static Descriptor to(String reference, Function<ContainerRef, Descriptor> push) {
        try {
            return push.apply(ContainerRef.parse(reference));
        } catch (OrasException | IllegalArgumentException e) {
            throw new RegistryException(
                    "pushing to %s failed: %s: check the reference, that the registry runs, and the credentials (`docker login`); a registry without TLS needs plain HTTP"
                            .formatted(OneLine.of(reference), reason(e)),
                    e);
        }
    }

    private static String reason(RuntimeException e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String status =
                e instanceof OrasException oras
                                && oras.getStatusCode() != null
                                && oras.getStatusCode() > 0
                        ? "the registry answered " + oras.getStatusCode() + ", "
                        : "";
        return OneLine.of(status + (cause.getMessage() == null ? cause : cause.getMessage()));
    }

    private static Descriptor descriptor(String mediaType, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new Descriptor(mediaType, Sha256.of(bytes), bytes.length);
    }

    private static JsonObject document(String mediaType) {
        var json = new JsonObject();
        json.addProperty("schemaVersion", 2);
        json.addProperty("mediaType", mediaType);
        return json;
    }

    private static JsonArray array(List<Descriptor> descriptors) {
        var array = new JsonArray();
        descriptors.forEach(descriptor -> array.add(json(descriptor)));
        return array;
    }

    private static JsonObject json(Descriptor descriptor) {
        var json = new JsonObject();
        json.addProperty("mediaType", descriptor.mediaType());
        json.addProperty("digest", descriptor.digest().toString());
        json.addProperty("size", descriptor.size());
        annotate(json, descriptor.annotations());
        descriptor.platform().ifPresent(platform -> json.add("platform", json(platform)));
        return json;
    }

    private static JsonObject json(Platform platform) {
        var json = new JsonObject();
        json.addProperty("architecture", platform.architecture());
        json.addProperty("os", platform.os());
        return json;
    }

    private static void annotate(JsonObject json, Map<String, String> annotations) {
        if (!annotations.isEmpty()) {
            var members = new JsonObject();
            annotations.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> members.addProperty(entry.getKey(), entry.getValue()));
            json.add("annotations", members);
        }
    }
}
