package dev.atoll.oci.containerd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.ContentNotFound;
import dev.atoll.oci.ContentUnavailable;
import dev.atoll.oci.InvalidImage;
import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.image.Descriptor;
import dev.atoll.oci.spec.CriPod;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ContainerdClientTest {
    private static final String WASM = "application/wasm";
    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

    @TempDir private Path directory;
    private FakeContainerd containerd;
    private ContainerdClient client;

    @BeforeEach
    void start() throws IOException {
        containerd = new FakeContainerd(directory.resolve("containerd.sock"));
        client = client(directory.resolve("containerd.sock"), Duration.ofSeconds(10));
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        containerd.close();
    }

    @Test
    void versionIsWhatContainerdSays() {
        assertThat(client.version()).isEqualTo("v2.1.9");
    }

    @Test
    void containerHasItsImageAndTheNamespaceGoesAlong() {
        containerd.container("a1", "registry.test/app:1");

        assertThat(client.container(new ContainerKey("k8s.io", "a1")))
                .isEqualTo(new ContainerRecord("a1", Optional.of("registry.test/app:1")));
        assertThat(containerd.namespaces).containsExactly("k8s.io");
    }

    @Test
    void containerOfAPlainRootFileSystemHasNoImage() {
        containerd.container("a1", "");

        assertThat(client.container(new ContainerKey("k8s.io", "a1")).image()).isEmpty();
    }

    @Test
    void unknownContainerIsNotFound() {
        assertThatThrownBy(() -> client.container(new ContainerKey("k8s.io", "gone")))
                .isInstanceOf(ContentNotFound.class)
                .hasMessage(
                        "reading the record of container k8s.io/gone: containerd does not have it: container \"gone\": not found");
    }

    @Test
    void podHasHandlerAndAnnotationsThatCriKeepsWithItsPause() {
        containerd.container("p1", "pause:3");
        containerd.sandbox(
                "p1",
                """
                {"Version":"v1","Metadata":{"Config":{"annotations":{"a/b":"c"}},"RuntimeHandler":"wasmtime"}}\
                """);

        assertThat(client.pod(new ContainerKey("k8s.io", "p1")))
                .contains(new CriPod(Optional.of("wasmtime"), Map.of("a/b", "c")));
        assertThat(containerd.namespaces).containsExactly("k8s.io");
    }

    @Test
    void containerThatCriDidNotMakeIsNoPod() {
        containerd.container("c1", "app:1");

        assertThat(client.pod(new ContainerKey("default", "c1"))).isEmpty();
        assertThat(client.pod(new ContainerKey("default", "gone"))).isEmpty();
    }

    @Test
    void podWhoseMetadataIsNotUnderstoodIsRefused() {
        containerd.container("p1", "pause:3");
        containerd.sandbox("p1", "{\"Version\":\"v2\"}");

        assertThatThrownBy(() -> client.pod(new ContainerKey("k8s.io", "p1")))
                .isInstanceOf(InvalidSpec.class)
                .hasMessageStartingWith(
                        "containerd's metadata of pod sandbox k8s.io/p1: Version: ");
    }

    @Test
    void imageIsItsTarget() {
        Descriptor manifest =
                containerd.content("application/vnd.oci.image.manifest.v1+json", "{}");
        containerd.image("app:1", manifest);

        assertThat(client.image("k8s.io", "app:1")).isEqualTo(manifest);
    }

    @Test
    void contentIsReadInChunksUnderALeaseThatIsDeleted() {
        byte[] bytes = random(10_500);
        Descriptor content = containerd.content(WASM, bytes);

        assertThat(client.read("k8s.io", content, "it", 20_000)).isEqualTo(bytes);
        assertThat(containerd.calls).containsExactly("lease", "add", "read", "delete");
        assertThat(containerd.leases()).isEmpty();
        assertThat(containerd.leaseLabels)
                .containsEntry("containerd.io/gc.expire", "2026-11-22T10:01:30Z");
    }

    @Test
    void leaseThatCannotBeDeletedDoesNoHarm() {
        containerd.leasesStick = true;
        Descriptor content = containerd.content(WASM, random(10));

        assertThat(client.read("k8s.io", content, "it", 20)).hasSize(10);
    }

    @Test
    void emptyContentIsReadToo() {
        Descriptor content = containerd.content(WASM, new byte[0]);

        client.copy("k8s.io", content, "layer", target(), 10);

        assertThat(target()).isEmptyFile();
    }

    @Test
    void sha512IsVerified() {
        byte[] bytes = random(3000);
        Descriptor content = FakeContainerd.descriptor("sha512", WASM, bytes);
        containerd.damage(content.digest(), bytes);

        assertThat(client.read("k8s.io", content, "it", 3000)).isEqualTo(bytes);
    }

    @Test
    void damagedContentIsRefusedAndLeavesNoFile() {
        byte[] bytes = random(3000);
        Descriptor content = containerd.content(WASM, bytes);
        bytes = bytes.clone();
        bytes[2999]++;
        containerd.damage(content.digest(), bytes);

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 5000))
                .isInstanceOf(InvalidImage.class)
                .hasMessageStartingWith("layer x: expected digest " + content.digest() + ", found ")
                .hasMessageEndingWith("containerd's copy is damaged, pull the image again");
        assertThat(target()).doesNotExist();
        assertThat(containerd.leases()).isEmpty();
    }

    @Test
    void shortContentThatInfoLiesAboutIsRefused() {
        Descriptor content = containerd.content(WASM, random(3000));
        containerd.damage(content.digest(), random(2000));
        containerd.claimSize(content.digest(), 3000);

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 5000))
                .isInstanceOf(InvalidImage.class)
                .hasMessageContaining("its descriptor says 3000 bytes, found 2000");
    }

    @Test
    void endlessContentIsCutAtTheDescriptorsSize() {
        Descriptor content = containerd.content(WASM, random(3000));
        containerd.damage(content.digest(), random(2_000_000));
        containerd.claimSize(content.digest(), 3000);

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 5000))
                .isInstanceOf(InvalidImage.class)
                .hasMessageContaining("its descriptor says 3000 bytes, containerd sends more");
    }

    @Test
    void oneGigabyteByItsDescriptorIsRefusedBeforeAnyCall() {
        Descriptor small = containerd.content(WASM, random(10));
        var huge = new Descriptor(WASM, small.digest(), 1L << 30);

        assertThatThrownBy(() -> client.copy("k8s.io", huge, "layer x", target(), 256 << 20))
                .isInstanceOf(InvalidImage.class)
                .hasMessage(
                        "layer x has 1073741824 bytes: at most 268435456 are accepted, make it smaller");
        assertThat(containerd.calls).isEmpty();
    }

    @Test
    void oneGigabyteInTheStoreIsRefusedBeforeAByteIsRead() {
        Descriptor content = containerd.content(WASM, random(10));
        containerd.claimSize(content.digest(), 1L << 30);

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 256 << 20))
                .isInstanceOf(InvalidImage.class)
                .hasMessageContaining("1073741824");
        assertThat(containerd.calls).doesNotContain("read");
    }

    @Test
    void gzipIsUndoneByMediaTypeAndByItsFirstBytes() throws IOException {
        byte[] program = new byte[50_000];

        for (String type : new String[] {WASM, WASM + "+gzip"}) {
            Descriptor content = containerd.content(type, gzip(program));
            client.copy("k8s.io", content, "layer", target(), 50_000);

            assertThat(target()).hasBinaryContent(program);
            Files.delete(target());
        }
    }

    @Test
    void gzipOfSeveralMembersIsReadWhole() throws IOException {
        byte[] members = new byte[0];
        for (int i = 0; i < 3; i++) {
            byte[] member = gzip(random(2500));
            int end = members.length;
            members = Arrays.copyOf(members, end + member.length);
            System.arraycopy(member, 0, members, end, member.length);
        }
        Descriptor content = containerd.content(WASM + "+gzip", members);

        client.copy("k8s.io", content, "layer", target(), 10_000);

        assertThat(target()).hasSize(7500);
    }

    @Test
    void gzipBombIsRefused() throws IOException {
        Descriptor content = containerd.content(WASM + "+gzip", gzip(new byte[5_000_000]));

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 1_000_000))
                .isInstanceOf(InvalidImage.class)
                .hasMessageStartingWith("layer x has more than 1000000 bytes when uncompressed");
        assertThat(target()).doesNotExist();
    }

    @Test
    void truncatedGzipIsRefused() throws IOException {
        byte[] whole = gzip(random(5000));
        Descriptor content =
                containerd.content(WASM + "+gzip", Arrays.copyOf(whole, whole.length - 100));

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 10_000))
                .isInstanceOf(InvalidImage.class)
                .hasMessageStartingWith("layer x is not valid gzip");
    }

    @Test
    void zstdIsRefusedInWords() {
        Descriptor byType = containerd.content(WASM + "+zstd", random(100));
        byte[] magic = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0, 0};
        Descriptor byMagic = containerd.content(WASM, magic);

        for (Descriptor content : new Descriptor[] {byType, byMagic}) {
            assertThatThrownBy(() -> client.copy("k8s.io", content, "layer x", target(), 1000))
                    .isInstanceOf(InvalidImage.class)
                    .hasMessage(
                            "layer x is compressed by zstd: expected an uncompressed layer or gzip, push it so");
        }
    }

    @Test
    void existingTargetIsNotTouched() throws IOException {
        Files.writeString(target(), "mine");
        Descriptor content = containerd.content(WASM, random(100));

        assertThatThrownBy(() -> client.copy("k8s.io", content, "layer", target(), 1000))
                .isInstanceOf(ContentUnavailable.class);
        assertThat(target()).hasContent("mine");
    }

    @Test
    void callsWorkAgainAfterContainerdHasRestarted() throws Exception {
        client.version();

        containerd.restart();

        assertThat(client.version()).isEqualTo("v2.1.9");
    }

    @Test
    void containerdThatDoesNotAnswerIsUnavailable() {
        containerd.silent = true;
        try (ContainerdClient impatient =
                client(directory.resolve("containerd.sock"), Duration.ofMillis(300))) {
            assertThatThrownBy(() -> impatient.container(new ContainerKey("k8s.io", "a1")))
                    .isInstanceOf(ContentUnavailable.class)
                    .hasMessageContaining("containerd did not answer at ");
        }
    }

    @Test
    void absentContainerdIsUnavailable() {
        try (ContainerdClient lost =
                client(directory.resolve("nobody.sock"), Duration.ofMillis(300))) {
            assertThatThrownBy(lost::version)
                    .isInstanceOf(ContentUnavailable.class)
                    .hasMessageContaining("nobody.sock");
        }
    }

    @Test
    void closedClientSaysSo() {
        client.close();
        client.close();

        assertThatThrownBy(client::version)
                .isInstanceOf(ContentUnavailable.class)
                .hasMessageContaining("is closed");
    }

    private Path target() {
        return directory.resolve("program.wasm");
    }

    private static ContainerdClient client(Path socket, Duration deadline) {
        return new ContainerdClient(socket, deadline, Duration.ofSeconds(30), () -> NOW);
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }
}
