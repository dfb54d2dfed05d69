package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Content;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.oci.image.MediaTypes;
import dev.atoll.oci.image.Platform;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The shapes in which a wasm program reaches a node.
@EveryNode
class ImageShapesE2E {
    private static final String HELLO = "hello.p1.wasm";
    private static final String GREETING = "Hello from WebAssembly\n";

    private final TestNode on;

    ImageShapesE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "these images hold wasm");
    }

    private void assertPrints(String image, String expected, String... arguments) {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(ContainerRequest.of(image).args(arguments));

            assertThat(container.awaitExit().getExitCode()).as(container.log().errors()).isZero();
            assertThat(container.log().output()).isEqualTo(expected);
        }
    }

    private static Artifact hello() {
        return Artifact.of(Checkout.guest(HELLO));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/app.wasm", "app.wasm", "/", "anything"})
    void aSingleLayerRunsWhateverTheEntrypointIsCalled(String entrypoint) {
        assertPrints(on.images().push(hello().withEntrypoint(entrypoint)), GREETING);
    }

    @ParameterizedTest
    @CsvSource({
        MediaTypes.WASM_CONFIG + "," + MediaTypes.OLDER_WASM_LAYER,
        MediaTypes.OCI_CONFIG + "," + MediaTypes.OLDER_WASM_LAYER,
        MediaTypes.OCI_CONFIG + "," + MediaTypes.WASM_LAYER
    })
    void olderMediaTypesWork(String configType, String layerType) {
        Artifact artifact =
                hello().withConfigType(configType)
                        .withLayers(Artifact.layer(layerType, Checkout.guest(HELLO)));

        assertPrints(on.images().push(artifact), GREETING);
    }

    @Test
    void aGzippedLayerWorks() {
        Artifact artifact = hello().withLayers(Artifact.gzipped(Checkout.guest(HELLO)));

        assertPrints(on.images().push(artifact), GREETING);
    }

    @Test
    void anIndexWithTheNodesPlatformWorks() {
        assertPrints(
                on.images()
                        .pushIndex(
                                hello(),
                                List.of(
                                        new Platform("linux", "amd64"),
                                        new Platform("linux", "arm64"),
                                        new Platform("wasip1", "wasm"))),
                GREETING);
    }

    @Test
    void amongSeveralLayersTheEntrypointPicksByTitle() {
        Artifact artifact =
                hello().withLayers(
                                Artifact.titled("other.wasm", Checkout.guest("guest.p1.wasm")),
                                Artifact.titled("hello.wasm", Checkout.guest(HELLO)))
                        .withEntrypoint("/hello.wasm");

        assertPrints(on.images().push(artifact), GREETING);
    }

    @Test
    void anArtifactWithoutEntrypointRunsByTheContainersCommand() {
        String image = on.images().push(hello().withEntrypoint());
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(ContainerRequest.of(image).command("/app.wasm"));
            container.awaitExit();

            assertThat(container.log().output()).isEqualTo(GREETING);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/opt/app.wasm", "opt/app.wasm"})
    void aProgramInARootFileSystemWorks(String entrypoint) {
        String image =
                on.images()
                        .push(RootfsImage.of("/opt/app.wasm", Checkout.guest(HELLO), entrypoint));

        assertPrints(image, GREETING);
    }

    @Test
    void anExportOfAProgramInARootFileSystemIsCalled() {
        String image =
                on.images()
                        .push(
                                RootfsImage.of(
                                        "/lib.wat",
                                        Checkout.guest("export.wat"),
                                        "/lib.wat#greet"));

        assertPrints(image, "greet was called\n");
    }

    @Test
    void anExportOfAnArtifactIsCalled() {
        String image =
                on.images()
                        .push(
                                Artifact.of(Checkout.guest("export.wat"))
                                        .withEntrypoint("/app.wasm#greet"));

        assertPrints(image, "greet was called\n");
    }

    @Test
    void aRootFileSystemIsReadByItsProgram() {
        var files =
                Map.of(
                        "/app.wasm",
                        Checkout.guest("guest.p1.wasm"),
                        "/etc/motd",
                        Content.of("of the image\n".getBytes(StandardCharsets.UTF_8)));
        String image =
                on.images()
                        .push(new RootfsImage(files, Map.of("Entrypoint", List.of("/app.wasm"))));

        assertPrints(image, "of the image\n", "read", "/etc/motd");
    }

    @Test
    void textIsTakenWhereWasmIs() {
        assertPrints(
                on.images().push(Artifact.of(Checkout.guest("hello.wat"))), "hello from text\n");
    }

    @Test
    void aModuleWithoutWasiRuns() {
        assertPrints(on.images().push(Artifact.of(Checkout.guest("no-wasi.wat"))), "");
    }

    @Test
    void aComponentRuns() {
        assertPrints(on.images().push(Artifact.of(Checkout.guest("hello.p2.wasm"))), GREETING);
    }
}
