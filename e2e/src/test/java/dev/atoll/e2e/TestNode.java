package dev.atoll.e2e;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// A node with what tests do on it most.
///
/// The system property `atoll.e2e.handler` may say `runc`: then pods are native and run the same
/// guests, which shows whether a test's expectations are those of any container.
///
/// @param node the node
/// @param images where images are pushed
/// @param pushed the images of the guests, by file
record TestNode(Node node, Images images, Map<String, String> pushed) implements AutoCloseable {
    private static final String HANDLER = System.getProperty("atoll.e2e.handler", Pod.WASMTIME);

    static TestNode start(String version) {
        Node node = Node.start(version);
        return new TestNode(node, new Images(node), new ConcurrentHashMap<>());
    }

    /// Whether pods run natively.
    static boolean isNative() {
        return HANDLER.equals(Pod.RUNC);
    }

    /// Runs a pod.
    Pod pod() {
        return Pod.run(node, HANDLER);
    }

    /// Returns a container of the guest of many commands.
    ContainerRequest guest(String... words) {
        return guestOf("guest.p1.wasm", words);
    }

    /// Returns a container of the guest with the given file name, run with arguments.
    ContainerRequest guestOf(String file, String... words) {
        String image = pushed.computeIfAbsent(file, this::push);
        return ContainerRequest.of(image).args(words);
    }

    private String push(String file) {
        if (isNative()) {
            String program = file.replaceFirst("\\..*", ".native");
            return images.push(RootfsImage.of("/guest", Checkout.guest(program), "/guest"));
        }
        return images.push(Artifact.of(Checkout.guest(file)));
    }

    @Override
    public void close() {
        node.close();
    }

    @Override
    public String toString() {
        return node.version();
    }
}
