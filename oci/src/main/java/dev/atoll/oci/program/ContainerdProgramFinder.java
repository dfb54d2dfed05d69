package dev.atoll.oci.program;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.OneLine;
import dev.atoll.oci.containerd.ContainerRecord;
import dev.atoll.oci.containerd.ContainerdClient;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.ImageReader;
import dev.atoll.oci.image.Index;
import dev.atoll.oci.image.Manifest;
import dev.atoll.oci.image.MediaTypes;
import dev.atoll.oci.image.Platform;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds programs through containerd: container record, image, index, manifest. Thread-safe: the
/// only state is a cache of resolved images, guarded by its own lock, which is not held during
/// calls.
public final class ContainerdProgramFinder implements ProgramFinder {
    /// A node seldom has more images; each entry is some kilobytes.
    private static final int CACHED_IMAGES = 128;

    /// An index in an index is legal and seen; deeper nesting is not, and could be endless work.
    private static final int MAX_INDEX_DEPTH = 2;

    private final ContainerdClient client;
    private final Platform host;

    @GuardedBy("cache")
    private final Map<CacheKey, ResolvedImage> cache = new LeastRecentlyUsed();

    /// @param client is borrowed: the caller closes it
    public ContainerdProgramFinder(ContainerdClient client) {
        this(client, Platform.host());
    }

    ContainerdProgramFinder(ContainerdClient client, Platform host) {
        this.client = client;
        this.host = host;
    }

    @Override
    public WasmProgram find(ContainerKey container, String firstArgument) {
        Entrypoint entrypoint = Entrypoint.parse(firstArgument);
        ContainerRecord record = client.container(container);
        if (record.image().isEmpty()) {
            return new WasmProgram.RootfsFile(
                    entrypoint, "a root file system without an image in containerd");
        }
        String name = record.image().get();
        String namespace = container.namespace();
        Descriptor target = client.image(namespace, name);
        ResolvedImage image = resolve(namespace, target, "image " + OneLine.of(name));
        return switch (ProgramChoice.choose(image, "image " + OneLine.of(name), entrypoint)) {
            case ProgramChoice.InRootfs(String description) ->
                    new WasmProgram.RootfsFile(entrypoint, description);
            case ProgramChoice.InLayer(Descriptor layer, String title) -> {
                List<WasmProgram.Layer> others =
                        image.manifest().wasmLayers().stream()
                                .filter(other -> !other.equals(layer))
                                .filter(other -> other.title().isPresent())
                                .map(other -> {
                                    String called = OneLine.of(other.title().get());
                                    return layer(
                                            new Entrypoint(called, Optional.empty()),
                                            namespace,
                                            name,
                                            other,
                                            called,
                                            List.of());
                                })
                                .toList();
                yield layer(entrypoint, namespace, name, layer, title, others);
            }
        };
    }

    private WasmProgram.Layer layer(
            Entrypoint entrypoint,
            String namespace,
            String image,
            Descriptor layer,
            String title,
            List<WasmProgram.Layer> others) {
        String subject = "layer %s of image %s".formatted(title, OneLine.of(image));
        return new WasmProgram.Layer(
                entrypoint,
                layer.digest(),
                title,
                (file, maxBytes) -> client.copy(namespace, layer, subject, file, maxBytes),
                others);
    }

    private ResolvedImage resolve(String namespace, Descriptor target, String image) {
        var key = new CacheKey(namespace, target.digest(), target.mediaType());
        synchronized (cache) {
            ResolvedImage cached = cache.get(key);
            if (cached != null) {
                return cached;
            }
        }
        ResolvedImage resolved = read(namespace, target, image, 0);
        synchronized (cache) {
            cache.put(key, resolved);
        }
        return resolved;
    }

    private ResolvedImage read(String namespace, Descriptor content, String image, int depth) {
        String type = content.mediaType();
        if (MediaTypes.isManifest(type)) {
            return readManifest(namespace, content, image);
        }
        if (!MediaTypes.isIndex(type)) {
            throw new InvalidImage(
                    "%s is no image: found media type %s, expected an image manifest (%s) or an index of them (%s)"
                            .formatted(
                                    image,
                                    OneLine.quoted(type),
                                    MediaTypes.OCI_MANIFEST,
                                    MediaTypes.OCI_INDEX));
        }
        if (depth == MAX_INDEX_DEPTH) {
            throw new InvalidImage(
                    "%s nests more than %d indexes: push a single manifest, or one index of manifests"
                            .formatted(image, MAX_INDEX_DEPTH));
        }
        String subject = "index %s of %s".formatted(content.digest(), image);
        Index index =
                ImageReader.index(
                        client.read(namespace, content, subject, ImageReader.MAX_BYTES), subject);
        return firstPresent(namespace, index, image, depth);
    }

    /// containerd pulls only the entry for the node's platform, so the others may be missing.
    private ResolvedImage firstPresent(String namespace, Index index, String image, int depth) {
        List<Descriptor> candidates = index.candidates(host);
        for (Descriptor candidate : candidates) {
            try {
                return read(namespace, candidate, image, depth + 1);
            } catch (ContentNotFound e) {
                if (candidate.equals(candidates.getLast())) {
                    throw e;
                }
            }
        }
        throw new InvalidImage(
                "%s has no entry for this node: found %s, expected %s or wasm (wasip1/wasm, wasip2/wasm, wasi/wasm): push a single manifest or add such an entry"
                        .formatted(image, platforms(index), host));
    }

    private static String platforms(Index index) {
        List<String> platforms = index.platforms();
        return platforms.isEmpty() ? "no entries" : OneLine.of(String.join(", ", platforms));
    }

    private ResolvedImage readManifest(String namespace, Descriptor content, String image) {
        String subject = "manifest %s of %s".formatted(content.digest(), image);
        Manifest manifest =
                ImageReader.manifest(
                        client.read(namespace, content, subject, ImageReader.MAX_BYTES), subject);
        if (!manifest.hasTarLayer() || !MediaTypes.isImageConfig(manifest.config().mediaType())) {
            return new ResolvedImage(manifest, "");
        }
        String configSubject = "config %s of %s".formatted(manifest.config().digest(), image);
        Platform platform =
                ImageReader.config(
                                client.read(
                                        namespace,
                                        manifest.config(),
                                        configSubject,
                                        ImageReader.MAX_BYTES),
                                configSubject)
                        .platform();
        return new ResolvedImage(manifest, " for " + OneLine.of(platform.toString()));
    }

    private record CacheKey(String namespace, Digest digest, String mediaType) {}

    private static final class LeastRecentlyUsed extends LinkedHashMap<CacheKey, ResolvedImage> {
        private static final long serialVersionUID = 1L;

        LeastRecentlyUsed() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<CacheKey, ResolvedImage> eldest) {
            return size() > CACHED_IMAGES;
        }
    }
}
