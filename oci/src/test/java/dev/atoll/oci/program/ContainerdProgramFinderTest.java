package dev.atoll.oci.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.Digest;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.containerd.ContainerdClient;
import dev.atoll.oci.containerd.FakeContainerd;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.image.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class ContainerdProgramFinderTest {
    private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    private static final String INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String WASM_CONFIG = "application/vnd.wasm.config.v0+json";
    private static final String WASM = "application/wasm";
    private static final String TAR = "application/vnd.oci.image.layer.v1.tar+gzip";
    private static final ContainerKey KEY = new ContainerKey("k8s.io", "a1");

    @TempDir private Path directory;
    private FakeContainerd containerd;
    private ContainerdClient client;
    private ProgramFinder finder;

    @BeforeEach
    void start() throws IOException {
        Path socket = directory.resolve("containerd.sock");
        containerd = new FakeContainerd(socket);
        client = new ContainerdClient(socket);
        finder = new ContainerdProgramFinder(client, new Platform("linux", "amd64"));
        containerd.container("a1", "app:1");
    }

    @AfterEach
    void stop() throws IOException {
        client.close();
        containerd.close();
    }

    @ParameterizedTest
    @CsvSource({
        "application/vnd.wasm.config.v0+json, application/wasm",
        "application/vnd.oci.image.config.v1+json, application/wasm",
        "application/vnd.oci.image.config.v1+json, application/wasm+gzip",
        "application/vnd.wasm.config.v1+json, application/vnd.wasm.content.layer.v1+wasm",
        "application/vnd.wasm.config.v0+json, application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
    })
    void singleLayerRunsWhateverTheCommandSays(String config, String layerType) {
        Descriptor layer = containerd.content(layerType, "\0asm");
        containerd.image("app:1", manifest(config, layer));

        for (String command : new String[] {"/", "anything", "/other.wasm"}) {
            assertThat(finder.find(KEY, command))
                    .isInstanceOfSatisfying(
                            WasmProgram.Layer.class,
                            found -> assertThat(found.digest()).isEqualTo(layer.digest()));
        }
        assertThat(finder.find(KEY, "x#run").entrypoint().export()).contains("run");
    }

    @Test
    void layersContentIsCopied() {
        Descriptor layer = containerd.content(WASM, "\0asm1234");
        containerd.image("app:1", manifest(WASM_CONFIG, layer));
        Path target = directory.resolve("out.wasm");

        ((WasmProgram.Layer) finder.find(KEY, "/")).content().copyTo(target, 100);

        assertThat(target).hasContent("\0asm1234");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/b.wasm", "b.wasm", "/bin/b.wasm#run"})
    void severalLayersAreToldApartByTitle(String command) {
        Descriptor b = containerd.content(WASM, "b");
        containerd.image(
                "app:1",
                manifest(
                        WASM_CONFIG,
                        titled(containerd.content(WASM, "a"), "/a.wasm"),
                        titled(b, "b.wasm")));

        assertThat(((WasmProgram.Layer) finder.find(KEY, command)).digest()).isEqualTo(b.digest());
    }

    @Test
    void commandThatNamesNoLayerListsTheTitles() {
        containerd.image(
                "app:1",
                manifest(
                        WASM_CONFIG,
                        titled(containerd.content(WASM, "a"), "a.wasm"),
                        containerd.content(WASM, "b")));

        assertThatThrownBy(() -> finder.find(KEY, "/c.wasm"))
                .isInstanceOf(InvalidImage.class)
                .hasMessage(
                        "none of the 2 wasm layers of image app:1 matches the command \"/c.wasm\": found the titles \"a.wasm\", (no title): set the container's command to one of them");
    }

    @Test
    void tarImageIsAFileOfTheRootFileSystem() {
        Descriptor config =
                containerd.content(CONFIG, "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
        containerd.image(
                "app:1",
                manifestOf(config, containerd.content(TAR, "1"), containerd.content(TAR, "22")));

        assertThat(finder.find(KEY, "/app.wasm#run"))
                .isEqualTo(
                        new WasmProgram.RootfsFile(
                                new Entrypoint("/app.wasm", Optional.of("run")),
                                "an OCI image for linux/amd64 with 2 tar layers (application/vnd.oci.image.layer.v1.tar+gzip)"));
    }

    @Test
    void mixedImageRunsItsWasmLayer() {
        Descriptor layer = containerd.content(WASM, "w");
        containerd.image("app:1", manifest(CONFIG, containerd.content(TAR, "1"), layer));

        assertThat(((WasmProgram.Layer) finder.find(KEY, "/x")).digest()).isEqualTo(layer.digest());
    }

    @Test
    void containerWithoutAnImageIsAFileOfTheRootFileSystem() {
        containerd.container("a1", "");

        assertThat(finder.find(KEY, "/app.wasm")).isInstanceOf(WasmProgram.RootfsFile.class);
    }

    @Test
    void artifactOfAnotherKindIsRefusedWithItsTypes() {
        containerd.image(
                "app:1",
                manifest(
                        "application/vnd.cncf.model.config.v1+json",
                        containerd.content("application/vnd.cncf.model.weight.v1.tar", "1")));

        assertThatThrownBy(() -> finder.find(KEY, "/bin/sh"))
                .isInstanceOf(InvalidImage.class)
                .hasMessageStartingWith(
                        "image app:1 is no WebAssembly program: found config type application/vnd.cncf.model.config.v1+json, layer types application/vnd.cncf.model.weight.v1.tar, command \"/bin/sh\": expected ");
    }

    @Test
    void imageWithoutLayersIsRefused() {
        containerd.image("app:1", manifest(CONFIG));

        assertThatThrownBy(() -> finder.find(KEY, "/"))
                .isInstanceOf(InvalidImage.class)
                .hasMessageContaining("no layers");
    }

    @Test
    void indexPrefersTheHostThenWasmThenNoPlatform() {
        Descriptor host = manifest(WASM_CONFIG, containerd.content(WASM, "host"));
        Descriptor wasm = manifest(WASM_CONFIG, containerd.content(WASM, "wasm"));
        Descriptor plain = manifest(WASM_CONFIG, containerd.content(WASM, "plain"));
        containerd.image(
                "app:1",
                index(
                        entry(plain, Optional.empty()),
                        entry(host, Optional.of(new Platform("unknown", "unknown"))),
                        entry(wasm, Optional.of(new Platform("wasip1", "wasm"))),
                        entry(host, Optional.of(new Platform("linux", "amd64"))),
                        entry(plain, Optional.of(new Platform("linux", "arm64")))));

        assertThat(digestOf("host")).isEqualTo(found());
        restartFinder();
        containerd.remove(host.digest());
        assertThat(digestOf("wasm")).isEqualTo(found());
        restartFinder();
        containerd.remove(wasm.digest());
        assertThat(digestOf("plain")).isEqualTo(found());
        restartFinder();
        containerd.remove(plain.digest());
        assertThatThrownBy(() -> finder.find(KEY, "/")).isInstanceOf(ContentNotFound.class);
    }

    @Test
    void indexWithoutAnEntryForTheNodeNamesItsPlatforms() {
        Descriptor other = manifest(WASM_CONFIG, containerd.content(WASM, "w"));
        containerd.image("app:1", index(entry(other, Optional.of(new Platform("linux", "s390x")))));

        assertThatThrownBy(() -> finder.find(KEY, "/"))
                .isInstanceOf(InvalidImage.class)
                .hasMessageStartingWith(
                        "image app:1 has no entry for this node: found linux/s390x, expected linux/amd64 or wasm");
    }

    @Test
    void nestedIndexIsFollowedTwiceOnly() {
        Descriptor inner = manifest(WASM_CONFIG, containerd.content(WASM, "w"));
        Descriptor twice = index(entry(index(entry(inner, Optional.empty())), Optional.empty()));
        containerd.image("app:1", twice);
        assertThat(digestOf("w")).isEqualTo(found());

        containerd.image("app:1", index(entry(twice, Optional.empty())));
        assertThatThrownBy(() -> finder.find(KEY, "/"))
                .isInstanceOf(InvalidImage.class)
                .hasMessageContaining("nests more than 2 indexes");
    }

    @Test
    void manifestIsReadOnce() {
        containerd.image("app:1", manifest(WASM_CONFIG, containerd.content(WASM, "w")));

        finder.find(KEY, "/");
        finder.find(KEY, "/");

        assertThat(containerd.calls).containsOnlyOnce("read");
    }

    @Test
    void unknownMediaTypeIsNoImage() {
        containerd.image("app:1", containerd.content("text/plain", "hello"));

        assertThatThrownBy(() -> finder.find(KEY, "/"))
                .isInstanceOf(InvalidImage.class)
                .hasMessageStartingWith(
                        "image app:1 is no image: found media type \"text/plain\", expected");
    }

    private void restartFinder() {
        finder = new ContainerdProgramFinder(client, new Platform("linux", "amd64"));
    }

    private Digest found() {
        return ((WasmProgram.Layer) finder.find(KEY, "/")).digest();
    }

    private static Digest digestOf(String text) {
        return FakeContainerd.descriptor("sha256", WASM, text.getBytes(StandardCharsets.UTF_8))
                .digest();
    }

    private static Descriptor titled(Descriptor layer, String title) {
        return new Descriptor(
                layer.mediaType(),
                layer.digest(),
                layer.size(),
                Map.of("org.opencontainers.image.title", title),
                Optional.empty());
    }

    private static Descriptor entry(Descriptor content, Optional<Platform> platform) {
        return new Descriptor(
                content.mediaType(), content.digest(), content.size(), Map.of(), platform);
    }

    private Descriptor manifest(String configType, Descriptor... layers) {
        return manifestOf(containerd.content(configType, "{}"), layers);
    }

    private Descriptor manifestOf(Descriptor config, Descriptor... layers) {
        return containerd.content(
                MANIFEST,
                "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}"
                        .formatted(
                                json(config),
                                Stream.of(layers)
                                        .map(ContainerdProgramFinderTest::json)
                                        .collect(Collectors.joining(","))));
    }

    private Descriptor index(Descriptor... entries) {
        return containerd.content(
                INDEX,
                "{\"schemaVersion\":2,\"manifests\":[%s]}"
                        .formatted(
                                Stream.of(entries)
                                        .map(ContainerdProgramFinderTest::json)
                                        .collect(Collectors.joining(","))));
    }

    private static String json(Descriptor descriptor) {
        String annotations =
                descriptor
                        .title()
                        .map(title ->
                                ",\"annotations\":{\"org.opencontainers.image.title\":\""
                                        + title
                                        + "\"}")
                        .orElse("");
        String platform =
                descriptor
                        .platform()
                        .map(it ->
                                ",\"platform\":{\"os\":\"%s\",\"architecture\":\"%s\"}"
                                        .formatted(it.os(), it.architecture()))
                        .orElse("");
        return "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%d%s%s}"
                .formatted(
                        descriptor.mediaType(),
                        descriptor.digest(),
                        descriptor.size(),
                        annotations,
                        platform);
    }
}
