package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Blob;
import dev.atoll.e2e.image.Manifest;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
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
    private static final Blob GIGABYTE =
            new Blob(
                    Artifact.WASM,
                    "\0asm\1\0\0\0".getBytes(StandardCharsets.ISO_8859_1),
                    (1 << 30) - 8,
                    Map.of());

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

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aFileThatIsNotWasmIsRefused() {
        String sentence = refusalOf(Artifact.of(bytes("#!/bin/sh\necho hello\n")));

        assertThat(sentence).containsIgnoringCase("not a wasm").contains("application/wasm");
    }

    @Test
    void anEmptyLayerIsRefused() {
        assertThat(refusalOf(Artifact.of(new byte[0]))).containsIgnoringCase("empty");
    }

    @ParameterizedTest
    @ValueSource(strings = {HELLO, "hello.p2.wasm"})
    void aTruncatedProgramIsRefused(String guest) {
        byte[] whole = Checkout.guest(guest);

        String sentence = refusalOf(Artifact.of(Arrays.copyOf(whole, whole.length / 2)));

        assertThat(sentence).containsPattern("(?i)truncated|unexpected end|invalid|not valid");
    }

    @Test
    void contentThatDoesNotMatchItsDigestIsRefused() throws IOException {
        Manifest unique = Artifact.of(withRandomName(Checkout.guest("guest.p1.wasm"))).pack();
        String image = on.images().push(unique);
        Pod.pull(on.node(), image);
        String digest = unique.layers().getFirst().digest().substring("sha256:".length());
        Path content =
                on.node()
                        .path(
                                "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/"
                                        + digest);
        byte[] damaged = Files.readAllBytes(content);
        damaged[damaged.length / 2] ^= 1;
        Files.delete(content);
        Files.write(content, damaged);

        String sentence = Refusal.of(on, ContainerRequest.of(image));

        assertThat(sentence).contains("digest").contains(digest.substring(0, 12));
    }

    /// A program followed by a custom section with a random name, so that its digest is of this
    /// test only.
    private static byte[] withRandomName(byte[] program) {
        byte[] name = bytes(UUID.randomUUID().toString());
        byte[] longer = Arrays.copyOf(program, program.length + name.length + 3);
        longer[program.length] = 0;
        longer[program.length + 1] = (byte) (name.length + 1);
        longer[program.length + 2] = (byte) name.length;
        System.arraycopy(name, 0, longer, program.length + 3, name.length);
        return longer;
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
    void anImageWithoutWasmIsRefusedInWords() {
        String image =
                on.images()
                        .push(RootfsImage.of("/guest", Checkout.guest("guest.native"), "/guest"));

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
                Artifact.of(new byte[0])
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
                Artifact.of(new byte[0])
                        .withLayers(
                                Blob.of("application/vnd.example.unknown", Checkout.guest(HELLO)));

        String sentence = refusalOf(artifact);

        assertThat(sentence)
                .contains("application/vnd.example.unknown")
                .contains("application/wasm");
    }

    @Test
    void aLayerThatUnpacksToAGigabyteIsRefusedBeforeItFillsTheMemory() {
        Artifact artifact = Artifact.of(new byte[0]).withLayers(Artifact.gzipped(GIGABYTE));

        String sentence = refusalOf(artifact);

        assertThat(sentence).containsPattern("(?i)large|limit|more than|at most|exceed");
    }

    @Test
    void aLayerOfAGigabyteIsRefusedByItsSize() {
        Artifact artifact = Artifact.of(new byte[0]).withLayers(GIGABYTE);

        String sentence = refusalOf(artifact);

        assertThat(sentence)
                .containsPattern("(?i)large|limit|more than|at most|exceed")
                .contains("1073741824");
    }

    @Test
    void argumentsBeyondTheLimitAreRefused() {
        String sentence =
                refusalOf(
                        Artifact.of(Checkout.guest("guest.p1.wasm")), "echo", "x".repeat(4 << 20));

        assertThat(sentence).containsIgnoringCase("argument");
    }

    @Test
    void aPodWorksAfterARefusal() {
        assertThat(refusalOf(Artifact.of(bytes("nothing")))).isNotEmpty();

        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("echo", "still here"));
            container.awaitExit();

            assertThat(container.log().output()).isEqualTo("still here\n");
        }
    }
}
