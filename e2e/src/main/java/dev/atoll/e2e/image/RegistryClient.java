package dev.atoll.e2e.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/// Puts content into a registry over plain http, as it is: also what a proper client would refuse
/// to push.
///
/// Thread-safe.
public final class RegistryClient implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI registry;

    /// Makes a client of the registry at a host and port.
    public RegistryClient(String address) {
        this.registry = URI.create("http://" + address);
    }

    /// Pushes a blob that is not there yet.
    public void pushBlob(String repository, Blob blob) {
        URI existing = registry.resolve("/v2/%s/blobs/%s".formatted(repository, blob.digest()));
        if (send(HttpRequest.newBuilder(existing).HEAD()).statusCode() == 200) {
            return;
        }
        URI start = registry.resolve("/v2/%s/blobs/uploads/".formatted(repository));
        HttpResponse<String> started =
                send(HttpRequest.newBuilder(start).POST(BodyPublishers.noBody()));
        String location =
                started.headers()
                        .firstValue("Location")
                        .orElseThrow(() ->
                                new IllegalStateException("no upload location: " + started.body()));
        URI upload =
                registry.resolve(
                        location
                                + (location.contains("?") ? "&" : "?")
                                + "digest="
                                + blob.digest());
        expectCreated(
                send(
                        HttpRequest.newBuilder(upload)
                                .header("Content-Type", "application/octet-stream")
                                .PUT(
                                        BodyPublishers.fromPublisher(
                                                BodyPublishers.ofInputStream(blob::open),
                                                blob.size()))));
    }

    /// Pushes a manifest or an index under a tag or its digest.
    public void pushManifest(String repository, String tag, Blob manifest) {
        URI target = registry.resolve("/v2/%s/manifests/%s".formatted(repository, tag));
        expectCreated(
                send(
                        HttpRequest.newBuilder(target)
                                .header("Content-Type", manifest.mediaType())
                                .PUT(BodyPublishers.ofByteArray(manifest.bytes()))));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        HttpRequest built = request.timeout(DEADLINE).build();
        try {
            return http.send(built, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(built.method() + " " + built.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while pushing to " + built.uri(), e);
        }
    }

    private static void expectCreated(HttpResponse<String> response) {
        if (response.statusCode() != 201) {
            throw new IllegalStateException(
                    "%s: expected 201, got %d: %s"
                            .formatted(response.uri(), response.statusCode(), response.body()));
        }
    }

    @Override
    public void close() {
        http.close();
    }
}
