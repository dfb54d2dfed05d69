package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What a node must show while Atoll is installed on it, and afterwards.
final class Installation {
    static final String PREFIX = "/opt/atoll";
    static final String LAUNCHER = "/usr/local/bin/containerd-shim-wasmtime-v1";
    static final String OWN_CONFIG = "/etc/containerd/conf.d/atoll.toml";

    private Installation() {}

    static String echo(Node node, String word) {
        try (Pod pod = Pod.run(node)) {
            PodContainer container = pod.start(guest(node, "echo", word));
            assertThat(container.awaitExit().getExitCode()).isZero();
            return container.log().output();
        }
    }

    static ContainerRequest guest(Node node, String... words) {
        String image = new Images(node).push(Artifact.of(Checkout.guest("guest.p1.wasm")));
        return ContainerRequest.of(image).args(words);
    }

    /// Whether native pods can be made.
    static boolean nativePodsRun(Node node) {
        try (Pod pod = Pod.run(node, Pod.RUNC)) {
            return pod.status().getState() == PodSandboxState.SANDBOX_READY;
        }
    }

    /// What an installation makes and its end must remove.
    static List<String> leftovers(Node node) throws IOException {
        List<String> left = new ArrayList<>();
        for (String path :
                List.of(
                        PREFIX,
                        LAUNCHER,
                        OWN_CONFIG,
                        "/run/atoll",
                        "/etc/systemd/system/atolld.service",
                        "/etc/sysctl.d/90-atoll.conf")) {
            if (Files.exists(node.path(path), LinkOption.NOFOLLOW_LINKS)) {
                left.add(path);
            }
        }
        try (Stream<Path> files = Files.list(node.path("/etc/containerd"))) {
            files.map(Path::toString).filter(name -> name.contains("atoll")).forEach(left::add);
        }
        return left;
    }
}
