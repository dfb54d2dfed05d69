package dev.atoll.e2e;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodRequest;
import java.io.IOException;
import java.nio.file.Files;
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
        return pod(request());
    }

    /// Runs a pod of the given kind.
    Pod pod(PodRequest request) {
        return Pod.run(node, request);
    }

    /// Returns a pod to be changed and then run.
    static PodRequest request() {
        return PodRequest.of(HANDLER);
    }

    /// Returns a container of the HTTP server.
    ContainerRequest server() {
        return guestOf("server.p2.wasm");
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

    /// Returns an image whose `/guest` is the guest of many commands, built natively.
    String nativeImage() {
        return pushed.computeIfAbsent(
                "native",
                ignored ->
                        images.push(
                                RootfsImage.of(
                                        "/guest", Checkout.guest("guest.native"), "/guest")));
    }

    /// Returns a container of the userland `toolbox`, whose commands are in `/bin`, as those of any
    /// small distribution.
    ContainerRequest toolbox(String... command) {
        String image =
                pushed.computeIfAbsent("toolbox", _ -> images.push(Toolbox.image(isNative())));
        return ContainerRequest.of(image).command(command);
    }

    /// Returns what daemons have logged so far.
    String daemonLog() throws IOException {
        return Files.readString(node.path("/run/atoll/atolld.log"));
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
