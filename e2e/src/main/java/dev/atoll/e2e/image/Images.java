package dev.atoll.e2e.image;

import dev.atoll.e2e.node.Node;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.Platform;
import dev.atoll.oci.registry.RawArtifact;
import dev.atoll.oci.registry.RegistryClient;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/// Pushes images to a node's registry, each under a name of its own unless it is given one, and
/// answers how the node calls it.
///
/// Thread-safe.
public final class Images {
    private final RegistryClient registry = new RegistryClient(true);
    private final String pushAddress;
    private final String pullAddress;

    /// Makes a pusher for a node.
    public Images(Node node) {
        this(node.pushAddress(), node.pullAddress());
    }

    /// Makes a pusher for a registry that is called one name here and another, or the same, where
    /// it is pulled from.
    public Images(String pushAddress, String pullAddress) {
        this.pushAddress = pushAddress;
        this.pullAddress = pullAddress;
    }

    /// Pushes an artifact.
    public String push(Artifact artifact) {
        return push(artifact.pack());
    }

    /// Pushes an image with a root file system.
    public String push(RootfsImage image) {
        return push(image.pack());
    }

    /// Pushes an artifact under a name, as `/path:tag`, that may be taken already.
    public String pushAs(String name, Artifact artifact) {
        return push(name, artifact.pack());
    }

    private String push(RawArtifact manifest) {
        return push(freshName(), manifest);
    }

    private String push(String name, RawArtifact manifest) {
        registry.push(manifest, pushAddress + name);
        return pullAddress + name;
    }

    /// Pushes an index that names the artifact once per platform.
    public String pushIndex(Artifact artifact, List<Platform> platforms) {
        String name = freshName();
        Descriptor manifest = registry.push(artifact.pack(), pushAddress + name);
        List<Descriptor> entries =
                platforms.stream().map(platform -> of(manifest, platform)).toList();
        registry.pushIndex(entries, pushAddress + name);
        return pullAddress + name;
    }

    private static Descriptor of(Descriptor manifest, Platform platform) {
        return new Descriptor(
                manifest.mediaType(),
                manifest.digest(),
                manifest.size(),
                manifest.annotations(),
                Optional.of(platform));
    }

    /// Returns a name, as `/path:tag`, that nothing has yet.
    public static String freshName() {
        return "/test/" + UUID.randomUUID().toString().substring(0, 8) + ":1";
    }
}
