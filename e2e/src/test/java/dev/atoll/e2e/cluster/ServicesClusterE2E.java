package dev.atoll.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.LocalPortForward;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Guests behind Services, and guests that ask Services.
@OnCluster
class ServicesClusterE2E {
    private static final String WELCOME = "200\nHello world\n";

    private final TestNamespace in;

    ServicesClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void aGuestReachesAServiceByItsName() {
        in.deploy("web", 2, in.server().build());
        in.awaitReady(in.create("client", in.pod(in.server().build()).build()));

        for (String name : new String[] {"web", "web.%s.svc.cluster.local".formatted(in.name())}) {
            awaitAnswer("client", "http://" + name + "/", WELCOME);
        }
    }

    @Test
    void aGuestReachesAServiceByItsAddress() {
        in.deploy("web", 1, in.server().build());
        Service service = in.client().services().withName("web").get();
        in.awaitReady(in.create("client", in.pod(in.server().build()).build()));

        awaitAnswer("client", "http://%s/".formatted(service.getSpec().getClusterIP()), WELCOME);
    }

    @Test
    void aGuestReachesItselfThroughItsService() {
        in.deploy("web", 1, in.server().build());
        Pod pod = in.client().pods().withLabel("app", "web").list().getItems().getFirst();

        awaitAnswer(pod.getMetadata().getName(), "http://web/", WELCOME);
    }

    @Test
    @Tag("smoke")
    void portForwardReachesAGuest() throws IOException, InterruptedException {
        var pod = in.create("web", in.pod(in.server().build()).build());
        in.awaitReady(pod);

        try (LocalPortForward forward = pod.portForward(8080);
                HttpClient http = HttpClient.newHttpClient()) {
            var uri = URI.create("http://127.0.0.1:%d/".formatted(forward.getLocalPort()));
            var answer = http.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());

            assertThat(answer.body()).isEqualTo("Hello world\n");
        }
    }

    @Test
    void aRuntimeClassWithAPolicyOfItsOwnKeepsItsGuestsFromTheNetwork() {
        in.deploy("web", 1, in.server().build());
        String address = in.client().services().withName("web").get().getSpec().getClusterIP();
        in.awaitReady(in.create("free", in.pod(in.server().build()).build()));
        in.awaitReady(
                in.create(
                        "restricted",
                        in.pod(in.server().build())
                                .withRuntimeClassName(TestCluster.RESTRICTED)
                                .build()));

        awaitAnswer("free", "http://%s/".formatted(address), WELCOME);
        // The guest answers 502 when it is refused.
        assertThatThrownBy(() -> answer("restricted", "http://%s/".formatted(address)))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("Bad Gateway");
    }

    /// A Service's rules follow its pods a little later.
    private void awaitAnswer(String pod, String url, String expected) {
        Awaitility.await(pod + " asks " + url)
                .atMost(Duration.ofSeconds(60))
                .ignoreException(KubernetesClientException.class)
                .untilAsserted(() -> assertThat(answer(pod, url)).isEqualTo(expected));
    }

    private String answer(String pod, String url) {
        return in.ask(pod, "/fetch?url=" + url);
    }
}
