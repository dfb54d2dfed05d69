package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.net.NameServer;
import dev.atoll.e2e.net.Origin;
import dev.atoll.e2e.net.TestAuthority;
import dev.atoll.e2e.pod.ContainerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What guests ask other servers for.
@EveryNode
class OutgoingHttpE2E {
    private static final String ORIGIN = "10.96.0.20";
    private static final String BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

    private static @TempDir Path directory;
    private static String authority;
    private static SSLContext certificate;

    private final TestNode on;
    private final NameServer names;

    OutgoingHttpE2E(TestNode on) throws IOException {
        this.on = on;
        this.names =
                NameServer.start(
                        on.node().network(),
                        List.of(ORIGIN + " origin.test", ORIGIN + " other.test"));
    }

    @BeforeAll
    static void makeCertificates() throws Exception {
        TestAuthority made = TestAuthority.in(directory);
        authority = made.certificate();
        certificate = made.server("dns:origin.test");
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the server is a wasm component");
    }

    @AfterEach
    void stopNames() throws IOException {
        names.close();
    }

    private static HttpReply fetch(WebPod web, String url) throws IOException {
        return web.get("/fetch?url=" + url);
    }

    @Test
    void aServerIsAskedByItsName() throws IOException {
        try (Origin origin = Origin.start(on.node().network(), ORIGIN, 80);
                WebPod web = WebPod.run(on)) {
            assertThat(fetch(web, "http://origin.test/some/path").body())
                    .isEqualTo("200\norigin.test /some/path\n");
            assertThat(origin.requests()).isEqualTo(1);
        }
    }

    @Test
    void anotherPortIsPartOfTheName() throws IOException {
        try (Origin _ = Origin.start(on.node().network(), ORIGIN, 8123);
                WebPod web = WebPod.run(on)) {
            assertThat(fetch(web, "http://origin.test:8123/").body())
                    .isEqualTo("200\norigin.test:8123 /\n");
        }
    }

    @Test
    void aLargeAnswerArrivesWhole() throws IOException {
        int size = 10 << 20;
        try (Origin _ = Origin.start(on.node().network(), ORIGIN, 80);
                WebPod web = WebPod.run(on)) {
            assertThat(fetch(web, "http://origin.test/bytes/" + size).body()).hasSize(size + 4);
        }
    }

    @Test
    void aServerIsTrustedByTheAuthoritiesInTheContainer() throws Exception {
        try (Origin _ = tls();
                WebPod web = WebPod.run(on, TestNode.request(), trusting())) {
            assertThat(fetch(web, "https://origin.test/secret").body())
                    .isEqualTo("200\norigin.test /secret\n");
        }
    }

    @Test
    void aServerIsTrustedByTheUsualBundleOfTheContainer() throws Exception {
        String bundle = "/var/lib/atoll/bundle-" + UUID.randomUUID();
        Files.writeString(on.node().path(bundle), authority);
        try (Origin _ = tls();
                WebPod web =
                        WebPod.run(
                                on, TestNode.request(), on.server().mount(bundle, BUNDLE, true))) {
            assertThat(fetch(web, "https://origin.test/").body()).startsWith("200\n");
        }
    }

    @Test
    void aServerIsTrustedByTheNodesBundleWhereTheContainerHasNone() throws Exception {
        Path bundle = on.node().path(BUNDLE);
        String before = Files.readString(bundle);
        Files.writeString(bundle, before + "\n" + authority);
        try (Origin _ = tls();
                WebPod web = WebPod.run(on)) {
            assertThat(fetch(web, "https://origin.test/").body()).startsWith("200\n");
        } finally {
            Files.writeString(bundle, before);
        }
    }

    @Test
    void aServerOfAnotherNameIsNotTrusted() throws Exception {
        try (Origin origin = tls();
                WebPod web = WebPod.run(on, TestNode.request(), trusting())) {
            HttpReply reply = fetch(web, "https://other.test/");

            assertThat(reply.status()).isEqualTo(502);
            assertThat(reply.body()).isEqualTo("TlsCertificateError");
            assertThat(origin.requests()).isZero();
        }
    }

    @Test
    void aServerOfAnAuthorityThatNobodyKnowsIsNotTrusted() throws Exception {
        try (Origin origin = tls();
                WebPod web = WebPod.run(on)) {
            HttpReply reply = fetch(web, "https://origin.test/");

            assertThat(reply.status()).isEqualTo(502);
            assertThat(reply.body()).isEqualTo("TlsCertificateError");
            assertThat(origin.requests()).isZero();
        }
    }

    private Origin tls() {
        return Origin.start(on.node().network(), ORIGIN, 443, certificate);
    }

    /// Returns a server that finds the authority's certificate as in a ConfigMap.
    private ContainerRequest trusting() throws IOException {
        String onNode = "/var/lib/atoll/authorities-" + UUID.randomUUID();
        Path volume = Files.createDirectories(on.node().path(onNode));
        Path data = Files.createDirectory(volume.resolve("..2026_01"));
        Files.writeString(data.resolve("ca.crt"), authority);
        Files.createSymbolicLink(volume.resolve("..data"), Path.of("..2026_01"));
        Files.createSymbolicLink(volume.resolve("ca.crt"), Path.of("..data/ca.crt"));
        return on.server()
                .mount(onNode, "/etc/authorities", true)
                .env("SSL_CERT_FILE", "/etc/authorities/ca.crt");
    }

    @Test
    void whatGoesWrongHasTheNameThatWasiGivesIt() throws IOException {
        try (Origin _ = Origin.start(on.node().network(), ORIGIN, 80);
                WebPod web = WebPod.run(on)) {
            assertThat(fetch(web, "http://origin.test:1/").body()).isEqualTo("ConnectionRefused");
            assertThat(fetch(web, "http://unknown.test/").body()).startsWith("DnsError");
        }
    }
}
