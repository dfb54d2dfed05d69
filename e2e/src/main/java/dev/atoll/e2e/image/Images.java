package dev.atoll.e2e.image;

import dev.atoll.e2e.node.Node;
import java.util.List;
import java.util.UUID;

/// Pushes images to a node's registry, each under a name of its own, and answers how the node calls
/// it.
///
/// Thread-safe.
public final class Images implements AutoCloseable {
    private static final String REPOSITORY = "test/";

    private final RegistryClient registry;
    private final String pullAddress;

    /// Makes a pusher for a node.
    public Images(Node node) {
        this.registry = new RegistryClient(node.pushAddress());
        this.pullAddress = node.pullAddress();
    }

    /// Pushes an artifact.
    public String push(Artifact artifact) {
        return push(artifact.pack());
    }

    /// Pushes an image with a root file system.
    public String push(RootfsImage image) {
        return push(image.pack());
    }

    /// Pushes a manifest with all it names.
    public String push(Manifest manifest) {
        String repository = freshRepository();
        pushContent(repository, manifest);
        registry.pushManifest(repository, "1", manifest.blob());
        return reference(repository);
    }

    /// Pushes an index that names the artifact once per platform, each `os/architecture`.
    public String pushIndex(Artifact artifact, List<String> platforms) {
        String repository = freshRepository();
        Manifest manifest = artifact.pack();
        pushContent(repository, manifest);
        registry.pushManifest(repository, manifest.blob().digest(), manifest.blob());
        registry.pushManifest(repository, "1", manifest.index(platforms));
        return reference(repository);
    }

    private void pushContent(String repository, Manifest manifest) {
        registry.pushBlob(repository, manifest.config());
        manifest.layers().forEach(layer -> registry.pushBlob(repository, layer));
    }

    private static String freshRepository() {
        return REPOSITORY + UUID.randomUUID().toString().substring(0, 8);
    }

    private String reference(String repository) {
        return pullAddress + "/" + repository + ":1";
    }

    @Override
    public void close() {
        registry.close();
    }
}
