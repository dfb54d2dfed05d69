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
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Each thing that may be wrong with an image, a spec or a program is told in one sentence, and the
/// next pod works.
@EveryNode
class BadInputE2E {
    private static final String HELLO = "hello.p1.wasm";
    private static final long GIGABYTE = 1 << 30;

    private final TestNode on;

    BadInputE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "these are Atoll's refusals");
    }

    private String refusalOf(Artifact artifact, String... arguments) {
        return Refusal.of(on, ContainerRequest.of(on.images().push(artifact)).args(arguments));
    }

    private static Artifact program(String text) {
        return Artifact.of(Content.of(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static Path gigabyte() {
        return Content.sparse("\0asm\1\0\0\0".getBytes(StandardCharsets.ISO_8859_1), GIGABYTE);
    }

    @Test
    void aFileThatIsNotWasmIsRefused() {
        String sentence = refusalOf(program("#!/bin/sh\necho hello\n"));

        assertThat(sentence).contains("/app.wasm is a script").contains(".wasm").contains(".wat");
    }

    /// In a root file system, since some versions of containerd do not pull an empty layer.
    @Test
    void anEmptyProgramIsRefused() {
        String image =
                on.images().push(RootfsImage.of("/app.wasm", Content.of(new byte[0]), "/app.wasm"));

        assertThat(Refusal.of(on, ContainerRequest.of(image)))
                .contains("/app.wasm")
                .containsIgnoringCase("empty");
    }

    @ParameterizedTest
    @ValueSource(strings = {HELLO, "hello.p2.wasm"})
    void aTruncatedProgramIsRefused(String guest) throws IOException {
        byte[] whole = Files.readAllBytes(Checkout.guest(guest));
        Path half = Content.of(Arrays.copyOf(whole, whole.length / 2));

        String sentence = refusalOf(Artifact.of(half));

        assertThat(sentence).containsPattern("(?i)truncated|unexpected end|invalid|not valid");
    }

    @Test
    void aProgramThatDoesNotMatchItsDigestIsRefused() throws IOException {
        Path program = withRandomName(Checkout.guest("guest.p1.wasm"));
        String image = on.images().push(Artifact.of(program));
        Pod.pull(on.node(), image);
        String digest = Content.digest(program);
        damage(digest);

        String sentence = Refusal.of(on, ContainerRequest.of(image));

        assertThat(sentence).contains("digest").contains(digest.substring(0, 19));
    }

    @Test
    void aManifestThatDoesNotMatchItsDigestIsRefused() throws IOException {
        String image = on.images().push(Artifact.of(Checkout.guest(HELLO)));
        Pod.pull(on.node(), image);
        String digest =
                on.node()
                        .ctr("k8s.io", "images", "list", "name==" + image)
                        .orThrow("look up " + image)
                        .replaceFirst("(?s).*?(sha256:[0-9a-f]{64}).*", "$1");
        damage(digest);

        String sentence = Refusal.of(on, ContainerRequest.of(image));

        assertThat(sentence).contains("digest").contains(digest.substring(0, 19));
    }

    /// Changes one byte of content that the node has pulled; a manifest stays JSON by it.
    private void damage(String digest) throws IOException {
        String store = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/";
        Path content = on.node().path(store + digest.substring("sha256:".length()));
        byte[] damaged = Files.readAllBytes(content);
        int last = damaged.length - 1;
        while (damaged[last] < 'a' || damaged[last] > 'y') {
            last--;
        }
        damaged[last]++;
        Files.delete(content);
        Files.write(content, damaged);
    }

    /// Returns a program followed by a custom section with a random name, so that its digest is of
    /// this test only.
    private static Path withRandomName(Path program) throws IOException {
        byte[] name = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
        var longer = new ByteArrayOutputStream();
        longer.write(Files.readAllBytes(program));
        longer.write(0);
        longer.write(name.length + 1);
        longer.write(name.length);
        longer.write(name);
        return Content.of(longer.toByteArray());
    }

    @Test
    void anImportThatNobodyProvidesIsNamedWithItsNearest() {
        String sentence = refusalOf(Artifact.of(Checkout.guest("missing-import.wat")));

        assertThat(sentence)
                .contains("wasi_snapshot_preview1")
                .contains("fd_writ")
                .containsPattern("fd_write\\b");
    }

    @Test
    void aComponentOfAnUnsupportedWorldNamesWhatItWants() {
        String sentence = refusalOf(Artifact.of(Checkout.guest("unsupported-world.wat")));

        assertThat(sentence).contains("example:nowhere/nothing").contains("wasi:cli");
    }

    @Test
    void aModuleWithoutAnEntryPointListsItsExports() {
        String sentence = refusalOf(Artifact.of(Checkout.guest("export.wat")));

        assertThat(sentence).contains("_start").contains("greet").contains("#");
    }

    @Test
    void anExportThatDoesNotExistIsNamedWithThoseThatDo() {
        String sentence =
                refusalOf(
                        Artifact.of(Checkout.guest("export.wat")).withEntrypoint("/app.wasm#gret"));

        assertThat(sentence).contains("gret").contains("greet");
    }

    @Test
    void aFileThatIsNoProgramOfAnyKindIsRefusedInWords() {
        String image =
                on.images().push(RootfsImage.of("/guest", Content.of(new byte[] {1, 2}), "/guest"));

        String sentence = Refusal.of(on, ContainerRequest.of(image));

        assertThat(sentence).contains("/guest").containsIgnoringCase("wasm");
    }

    @Test
    void aProgramThatIsMissingFromTheRootFileSystemIsNamed() {
        String image =
                on.images().push(RootfsImage.of("/app.wasm", Checkout.guest(HELLO), "/other.wasm"));

        String sentence = Refusal.of(on, ContainerRequest.of(image));

        assertThat(sentence).contains("/other.wasm");
    }

    @Test
    void severalLayersOfWhichNoneIsMeantAreListed() {
        Artifact artifact =
                program("")
                        .withLayers(
                                Artifact.titled("one.wasm", Checkout.guest(HELLO)),
                                Artifact.titled("two.wasm", Checkout.guest("guest.p1.wasm")))
                        .withEntrypoint("/three.wasm");

        String sentence = refusalOf(artifact);

        assertThat(sentence).contains("three.wasm").contains("one.wasm").contains("two.wasm");
    }

    @Test
    void aLayerOfAnUnknownTypeIsNamed() {
        Artifact artifact =
                program("")
                        .withLayers(
                                Artifact.layer(
                                        "application/vnd.example.unknown", Checkout.guest(HELLO)));

        String sentence = refusalOf(artifact);

        assertThat(sentence)
                .contains("application/vnd.example.unknown")
                .contains("application/wasm");
    }

    @Test
    void aLayerThatUnpacksToAGigabyteIsRefusedBeforeItFillsTheMemory() {
        Artifact artifact = program("").withLayers(Artifact.gzipped(gigabyte()));

        String sentence = refusalOf(artifact);

        assertThat(sentence).containsPattern("(?i)large|limit|more than|at most|exceed");
    }

    @Test
    void aLayerOfAGigabyteIsRefusedByItsSize() {
        Artifact artifact =
                program("").withLayers(Artifact.layer(MediaTypes.WASM_LAYER, gigabyte()));

        String sentence = refusalOf(artifact);

        assertThat(sentence)
                .containsPattern("(?i)large|limit|more than|at most|exceed")
                .contains("1073741824");
    }

    @Test
    void argumentsBeyondTheLimitAreRefused() {
        String sentence =
                refusalOf(
                        Artifact.of(Checkout.guest("guest.p1.wasm")), "echo", "x".repeat(3 << 20));

        assertThat(sentence).contains("args").contains("2097152");
    }

    @Test
    void aPodWorksAfterARefusal() {
        assertThat(refusalOf(program("nothing"))).isNotEmpty();

        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("echo", "still here"));
            container.awaitExit();

            assertThat(container.log().output()).isEqualTo("still here\n");
        }
    }
}
