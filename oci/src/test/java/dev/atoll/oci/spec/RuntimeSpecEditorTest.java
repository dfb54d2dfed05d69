package dev.atoll.oci.spec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RuntimeSpecEditorTest {
    @TempDir private Path bundle;

    private String edited(String config, Optional<Path> root) throws IOException {
        Files.writeString(bundle.resolve("config.json"), config);
        return new String(
                RuntimeSpecEditor.edit(
                        bundle,
                        "c1",
                        List.of(
                                new Namespace("ipc", Optional.of("/i")),
                                new Namespace("pid", Optional.empty())),
                        root.isPresent() ? Map.of("a.b/c", "d") : Map.of(),
                        root),
                UTF_8);
    }

    @Test
    void onlyTheNamespacesChange() throws IOException {
        assertThat(
                        edited(
                                "{\"a\":[1e3,18446744073709551615,-0.10],\"linux\":{\"x\":null,\"namespaces\":[{\"type\":\"user\"}],\"y\":\"\\u00e4<\"}}",
                                Optional.empty()))
                .isEqualTo(
                        "{\"a\":[1e3,18446744073709551615,-0.10],\"linux\":{\"x\":null,\"namespaces\":[{\"type\":\"ipc\",\"path\":\"/i\"},{\"type\":\"pid\"}],\"y\":\"ä<\"}}");
    }

    @Test
    void aSpecWithoutLinuxGetsIt() throws IOException {
        assertThat(edited("{\"root\":{\"path\":\"rootfs\"}}", Optional.of(Path.of("/r"))))
                .isEqualTo(
                        "{\"root\":{\"path\":\"/r\"},\"linux\":{\"namespaces\":[{\"type\":\"ipc\",\"path\":\"/i\"},{\"type\":\"pid\"}]},\"annotations\":{\"a.b/c\":\"d\"}}");
    }
}
