package dev.atoll.oci.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.ImageReader;
import dev.atoll.oci.image.Index;
import dev.atoll.oci.image.Manifest;
import dev.atoll.oci.image.Platform;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pushes to a real registry and reads back what it stored.
@Timeout(120)
final class ArtifactPusherIT {
    private static final byte[] MODULE = {0, 'a', 's', 'm', 1, 0, 0, 0};
    private static final byte[] COMPONENT = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};

    @TempDir private static Path directory;
    private static RegistryServer server;

    private final RegistryClient client = new RegistryClient(true);
    private final ArtifactPusher pusher =
            new ArtifactPusher(
                    client, Map.of("SOURCE_DATE_EPOCH", "1700000000"), () -> Instant.MAX);

    @BeforeAll
    static void start() throws IOException {
        server = new RegistryServer(directory);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void moduleBecomesASingleManifestThatContainerdCanRun() throws Exception {
        Path file = file("app.wasm", MODULE);

        Descriptor pushed = pusher.push(List.of(file), reference("one:v1"), PushOptions.DEFAULT);

        String text = get("one/manifests/v1");
        Manifest manifest =
                ImageReader.manifest(text.getBytes(StandardCharsets.UTF_8), "the manifest");
        assertThat(Sha256.of(text.getBytes(StandardCharsets.UTF_8))).isEqualTo(pushed.digest());
        assertThat(manifest.config().mediaType()).isEqualTo("application/vnd.wasm.config.v0+json");
        assertThat(manifest.layers()).hasSize(1);
        Descriptor layer = manifest.layers().getFirst();
        assertThat(layer.mediaType()).isEqualTo("application/wasm");
        assertThat(layer.title()).contains("app.wasm");
        assertThat(layer.digest()).isEqualTo(Sha256.of(MODULE));
        assertThat(get("one/blobs/" + manifest.config().digest()))
                .isEqualTo(
                        "{\"created\":\"2023-11-14T22:13:20Z\",\"architecture\":\"wasm\",\"os\":\"wasip1\",\"layerDigests\":[\""
                                + layer.digest()
                                + "\"],\"config\":{\"Entrypoint\":[\"/app.wasm\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
    }

    @Test
    void sameFilesAtTheSameTimeMakeTheSameArtifact() throws IOException {
        Path file = file("same.wasm", MODULE);

        Descriptor first = pusher.push(List.of(file), reference("same:1"), PushOptions.DEFAULT);
        Descriptor second = pusher.push(List.of(file), reference("same:2"), PushOptions.DEFAULT);

        assertThat(second).isEqualTo(first);
    }

    @Test
    void severalFilesAndOptionsAreWrittenDown() throws Exception {
        Path first = file("a.wasm", MODULE);
        Path second = file("b.wasm", COMPONENT);

        pusher.push(
                List.of(first, second),
                reference("several:v1"),
                new PushOptions(
                        Optional.of("/b.wasm#run"), Optional.of("Ada"), Map.of("org.test", "x")));

        String text = get("several/manifests/v1");
        Manifest manifest =
                ImageReader.manifest(text.getBytes(StandardCharsets.UTF_8), "the manifest");
        assertThat(manifest.layers().stream().map(layer -> layer.title().orElseThrow()))
                .containsExactly("a.wasm", "b.wasm");
        assertThat(text).contains("\"org.test\":\"x\"");
        assertThat(get("several/blobs/" + manifest.config().digest()))
                .contains("\"os\":\"wasip2\"", "\"author\":\"Ada\"", "[\"/b.wasm#run\"]");
    }

    @Test
    void rawManifestsAndIndexesArePushedAsTheyAre() throws Exception {
        var odd =
                new RawArtifact(
                        Optional.of("application/x-odd"),
                        new Blob.Text("application/x-config", Map.of(), "{}"),
                        List.of(
                                new Blob.InFile(
                                        "application/x-layer",
                                        Map.of(),
                                        file("tar", new byte[10]))),
                        Map.of());

        Descriptor manifest = client.push(odd, reference("odd:v1"));
        Descriptor entry =
                new Descriptor(
                        manifest.mediaType(),
                        manifest.digest(),
                        manifest.size(),
                        Map.of(),
                        Optional.of(new Platform("linux", "amd64")));
        client.pushIndex(List.of(entry), reference("odd:index"));

        assertThat(get("odd/manifests/v1")).contains("application/x-odd", "application/x-layer");
        Index index =
                ImageReader.index(
                        get("odd/manifests/index").getBytes(StandardCharsets.UTF_8), "the index");
        assertThat(index.entries()).containsExactly(entry);
    }

    @Test
    void whatIsNoWasmIsRefused() throws IOException {
        assertRefused(file("elf", new byte[] {0x7f, 'E', 'L', 'F', 2, 1}), "native Linux program");
        assertRefused(file("empty.wasm", new byte[0]), "found an empty file");
        assertRefused(file("short.wasm", new byte[] {0, 'a', 's', 'm', 1}), "is truncated");
        assertRefused(
                file("text.wat", "(module)".getBytes(StandardCharsets.UTF_8)), "WebAssembly text");
        assertRefused(directory.resolve("absent.wasm"), "there is no file");
    }

    @Test
    void registryThatIsNotThereIsNamed() throws IOException {
        Path file = file("app2.wasm", MODULE);

        assertThatThrownBy(
                        () -> pusher.push(List.of(file), "127.0.0.1:1/x:v1", PushOptions.DEFAULT))
                .isInstanceOf(RegistryException.class)
                .hasMessageStartingWith("pushing to 127.0.0.1:1/x:v1 failed: ")
                .hasMessageNotContaining("\n");
    }

    private void assertRefused(Path file, String part) {
        assertThatThrownBy(
                        () -> pusher.push(List.of(file), reference("bad:v1"), PushOptions.DEFAULT))
                .isInstanceOf(InvalidImage.class)
                .hasMessageContaining(part);
    }

    private static String reference(String repository) {
        return server.address() + "/" + repository;
    }

    private static Path file(String name, byte[] bytes) throws IOException {
        return Files.write(directory.resolve(name), bytes);
    }

    private static String get(String path) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                            HttpRequest.newBuilder(
                                            URI.create(
                                                    "http://" + server.address() + "/v2/" + path))
                                    .header(
                                            "Accept",
                                            "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json")
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
        }
    }
}
