package dev.atoll.e2e.cluster;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/// A cluster whose nodes run Atoll. What it is and who made it is unknown here: all that is known
/// are the lines `name=value` of the file that the system property `atoll.cluster` names.
///
/// | name | value |
/// | --- | --- |
/// | `kubeconfig` | a file, for an administrator |
/// | `push`, `pull` | a registry, as tests and as nodes call it |
/// | `private` | the same registry, for who says user `atoll`, password `wasm` |
/// | `handler` | the RuntimeClass under test |
/// | `network` | optional: a file that names a node's network namespace |
final class TestCluster implements AutoCloseable {
    /// The RuntimeClass whose guests may reach little: e2e/node/boot restricts its handler.
    static final String RESTRICTED = "wasmtime-restricted";

    private final Map<String, String> facts;
    private final KubernetesClient client;
    private final Images images;
    private final Map<String, String> pushed = new ConcurrentHashMap<>();

    private TestCluster(Map<String, String> facts) {
        this.facts = facts;
        Config config = Config.fromKubeconfig(read(kubeconfig()));
        // What a server answers is what the test is about: it is not asked again.
        config.setRequestRetryBackoffLimit(0);
        this.client = new KubernetesClientBuilder().withConfig(config).build();
        this.images = new Images(fact("push"), fact("pull"));
    }

    static TestCluster connect() {
        String file = System.getProperty("atoll.cluster", "");
        if (file.isBlank()) {
            throw new IllegalStateException(
                    "no cluster to test on: set -Datoll.cluster=FILE to what e2e/cluster/up printed");
        }
        return new TestCluster(
                read(Path.of(file))
                        .lines()
                        .map(line -> line.split("=", 2))
                        .collect(Collectors.toUnmodifiableMap(pair -> pair[0], pair -> pair[1])));
    }

    KubernetesClient client() {
        return client;
    }

    /// Returns the administrator's kubeconfig.
    Path kubeconfig() {
        return Path.of(fact("kubeconfig"));
    }

    Images images() {
        return images;
    }

    /// Returns the name of the RuntimeClass under test.
    String handler() {
        return fact("handler");
    }

    /// Returns the file of a node's network namespace, from which Services are reached.
    Optional<Path> network() {
        return Optional.ofNullable(facts.get("network")).map(Path::of);
    }

    /// Returns how nodes call an image that was pushed under a name, as `/path:tag`.
    String pulled(String name) {
        return fact("pull") + name;
    }

    /// Returns how a pushed image is called in the registry that asks for a password.
    String inPrivate(String image) {
        return fact("private") + image.substring(fact("pull").length());
    }

    /// Returns the image of a guest.
    String image(String guest) {
        return pushed.computeIfAbsent(
                guest, file -> images.push(Artifact.of(Checkout.guest(file))));
    }

    /// Returns an image whose `/guest` is the guest of many commands, built natively.
    String nativeImage() {
        return pushed.computeIfAbsent(
                "native",
                _ ->
                        images.push(
                                RootfsImage.of(
                                        "/guest", Checkout.guest("guest.native"), "/guest")));
    }

    private String fact(String name) {
        String value = facts.get(name);
        if (value == null) {
            throw new IllegalStateException(
                    System.getProperty("atoll.cluster") + " has no line " + name + "=...");
        }
        return value;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
