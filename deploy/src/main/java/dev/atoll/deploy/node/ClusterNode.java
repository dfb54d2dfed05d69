package dev.atoll.deploy.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// A Node object, over the API server that a pod's service account leads to.
public final class ClusterNode implements NodeApi {
    private static final Path ACCOUNT = Path.of("/var/run/secrets/kubernetes.io/serviceaccount");
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    // Events of nodes, which are in no namespace, are kept in this one.
    private static final String EVENTS = "/api/v1/namespaces/default/events";
    private static final int MOST_MESSAGE = 1024; // the API's own limit

    private final String name;
    private final URI server;
    private final Path account;
    private final HttpClient client;
    private final InstantSource clock;

    private ClusterNode(
            String name, URI server, Path account, HttpClient client, InstantSource clock) {
        this.name = name;
        this.server = server;
        this.account = account;
        this.client = client;
        this.clock = clock;
    }

    /// @param environment of a process in a pod
    /// @throws ApiFailed outside a pod, or in one without a service account
    public static ClusterNode inPod(
            String name, Map<String, String> environment, InstantSource clock) throws ApiFailed {
        String host = environment.get("KUBERNETES_SERVICE_HOST");
        String port = environment.get("KUBERNETES_SERVICE_PORT");
        if (host == null || port == null) {
            throw new ApiFailed(
                    "there is no API server here: reporting a node works only in a pod (no KUBERNETES_SERVICE_HOST is set)");
        }
        String address = host.contains(":") ? "[" + host + "]" : host;
        HttpClient client =
                HttpClient.newBuilder()
                        .connectTimeout(DEADLINE)
                        .sslContext(trusting(ACCOUNT.resolve("ca.crt")))
                        .build();
        return new ClusterNode(
                name, URI.create("https://" + address + ":" + port), ACCOUNT, client, clock);
    }

    private static SSLContext trusting(Path authorities) throws ApiFailed {
        try (InputStream in = Files.newInputStream(authorities)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("authority-" + store.size(), certificate);
            }
            TrustManagerFactory managers =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new ApiFailed(
                    "%s holds no certificates of the API server: mount the service account's token (automountServiceAccountToken)"
                            .formatted(authorities),
                    e);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public JsonObject read() throws ApiFailed {
        return call("GET", path(), "application/json", "");
    }

    @Override
    public void label(Map<String, Optional<String>> labels) throws ApiFailed {
        JsonObject values = new JsonObject();
        labels.forEach((label, value) -> {
            if (value.isPresent()) {
                values.addProperty(label, value.get());
            } else {
                values.add(label, JsonNull.INSTANCE);
            }
        });
        JsonObject metadata = new JsonObject();
        metadata.add("labels", values);
        JsonObject patch = new JsonObject();
        patch.add("metadata", metadata);
        call("PATCH", path(), "application/merge-patch+json", patch.toString());
    }

    @Override
    public void tell(boolean warning, String reason, String message) throws ApiFailed {
        Instant now = Instant.ofEpochSecond(clock.instant().getEpochSecond());
        JsonObject metadata = new JsonObject();
        metadata.addProperty("generateName", name + ".atoll.");
        metadata.addProperty("namespace", "default");
        JsonObject about = new JsonObject();
        about.addProperty("apiVersion", "v1");
        about.addProperty("kind", "Node");
        about.addProperty("name", name);
        about.addProperty("uid", name); // as kubelet does: `kubectl describe node` looks for it
        JsonObject source = new JsonObject();
        source.addProperty("component", "atoll");
        source.addProperty("host", name);
        JsonObject event = new JsonObject();
        event.addProperty("apiVersion", "v1");
        event.addProperty("kind", "Event");
        event.add("metadata", metadata);
        event.add("involvedObject", about);
        event.add("source", source);
        event.addProperty("type", warning ? "Warning" : "Normal");
        event.addProperty("reason", reason);
        event.addProperty(
                "message", message.substring(0, Math.min(message.length(), MOST_MESSAGE)));
        event.addProperty("firstTimestamp", now.toString());
        event.addProperty("lastTimestamp", now.toString());
        event.addProperty("count", 1);
        call("POST", EVENTS, "application/json", event.toString());
    }

    private String path() {
        return "/api/v1/nodes/" + URLEncoder.encode(name, UTF_8);
    }

    private JsonObject call(String method, String path, String type, String body) throws ApiFailed {
        String what = "%s %s".formatted(method, path);
        try {
            // Read for each call: kubelet replaces it before it expires.
            String token = Files.readString(account.resolve("token")).strip();
            HttpResponse<String> response =
                    client.send(
                            HttpRequest.newBuilder(server.resolve(path))
                                    .timeout(DEADLINE)
                                    .header("Authorization", "Bearer " + token)
                                    .header("Accept", "application/json")
                                    .header("Content-Type", type)
                                    .method(method, BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString());
            if (response.statusCode() / 100 != 2) {
                throw new ApiFailed(
                        "the API server answered %d to %s: %s"
                                .formatted(
                                        response.statusCode(),
                                        what,
                                        response.body().strip().replace('\n', ' ')));
            }
            return JsonParser.parseString(response.body()).getAsJsonObject();
        } catch (IOException e) {
            throw new ApiFailed("%s failed: %s".formatted(what, e), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiFailed("interrupted in %s".formatted(what), e);
        }
    }
}
