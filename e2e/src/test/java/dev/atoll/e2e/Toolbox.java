package dev.atoll.e2e;

import dev.atoll.e2e.image.Content;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The image of the guest `toolbox`: its program once for each version of WASI, and a link for each
/// command.
final class Toolbox {
    private Toolbox() {}

    static RootfsImage image(boolean isNative) {
        Path plain = Checkout.guest(isNative ? "toolbox.native" : "toolbox.p1.wasm");
        Path networked = Checkout.guest(isNative ? "toolbox.native" : "toolbox.p2.wasm");
        Path users = Content.of("root:x:0:0:root:/:/bin/sh\n".getBytes(StandardCharsets.UTF_8));
        Path nothing = Content.of(new byte[0]);
        Map<String, Path> files =
                Map.of(
                        "/bin/toolbox", plain,
                        "/bin/toolbox-network", networked,
                        "/etc/passwd", users,
                        "/tmp/", nothing);
        return new RootfsImage(files, links(), Map.of("Entrypoint", List.of("/bin/sh")));
    }

    private static Map<String, String> links() {
        var links = new TreeMap<String, String>();
        try {
            for (String line : Files.readAllLines(Checkout.guest("toolbox.links"))) {
                String[] words = line.split(" ", 2);
                links.put("/bin/" + words[0], words.length > 1 ? "toolbox-network" : "toolbox");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("read the names of the toolbox's commands", e);
        }
        return links;
    }
}
