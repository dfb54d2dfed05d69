package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.node.Checkout;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// How the kubelet gets wasm artifacts.
@OnCluster
class ImagesClusterE2E {
    private static final Set<String> REFUSED = Set.of("ErrImagePull", "ImagePullBackOff");

    private final TestCluster cluster;
    private final TestNamespace in;

    ImagesClusterE2E(TestCluster cluster, TestNamespace in) {
        this.cluster = cluster;
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void aRegistryThatAsksForAPasswordGetsItFromAPullSecret() {
        String image = cluster.inPrivate(freshImage());
        String registry = image.substring(0, image.indexOf('/'));
        in.create(
                new SecretBuilder()
                        .withNewMetadata()
                        .withName("registry")
                        .endMetadata()
                        .withType("kubernetes.io/dockerconfigjson")
                        .addToStringData(
                                ".dockerconfigjson",
                                """
                                {"auths": {"%s": {"auth": "%s"}}}\
                                """
                                        .formatted(registry, base64("atoll:wasm")))
                        .build());
        PodResource pod =
                in.create(
                        "with-secret",
                        in.pod(in.guest("echo", "pulled").withImage(image).build())
                                .addNewImagePullSecret("registry")
                                .build());

        in.awaitEnd(pod);

        assertThat(pod.getLog()).isEqualTo("pulled\n");
    }

    @Test
    void aRegistryThatAsksForAPasswordRefusesWhoHasNone() {
        String image = cluster.inPrivate(freshImage());

        PodResource pod =
                in.create(
                        "without-secret",
                        in.pod(in.guest("echo").withImage(image).build()).build());

        awaitWaiting(pod, REFUSED);
        assertThat(in.events("without-secret"))
                .anyMatch(text -> text.contains("authorization failed"));
    }

    @Test
    void anImageThatIsNowhereIsSaidToBeMissing() {
        String image = freshImage().replaceFirst(":1$", ":2");

        PodResource pod =
                in.create("missing", in.pod(in.guest("echo").withImage(image).build()).build());

        awaitWaiting(pod, REFUSED);
        assertThat(in.events("missing")).anyMatch(text -> text.contains("not found"));
    }

    @Test
    void neverPullsNothing() {
        PodResource pod =
                in.create(
                        "never",
                        in.pod(
                                        in.guest("echo")
                                                .withImage(freshImage())
                                                .withImagePullPolicy("Never")
                                                .build())
                                .build());

        awaitWaiting(pod, Set.of("ErrImageNeverPull"));
    }

    @Test
    void alwaysTakesWhatTheTagMeansNowAndIfNotPresentWhatItMeant() {
        String name = Images.freshName();
        cluster.images().pushAs(name, Artifact.of(Checkout.guest("hello.p1.wasm")));
        assertThat(logOf("first", name, "IfNotPresent")).isEqualTo("Hello from WebAssembly\n");

        cluster.images().pushAs(name, Artifact.of(Checkout.guest("guest.p1.wasm")));

        assertThat(logOf("second", name, "IfNotPresent")).isEqualTo("Hello from WebAssembly\n");
        assertThat(logOf("third", name, "Always")).isEqualTo("hello from the guest\n");
    }

    private String logOf(String pod, String name, String policy) {
        String image = cluster.pulled(name);
        PodResource made =
                in.create(
                        pod,
                        in.pod(in.guest().withImage(image).withImagePullPolicy(policy).build())
                                .build());
        in.awaitEnd(made);
        return made.getLog();
    }

    private String freshImage() {
        return cluster.images().push(Artifact.of(Checkout.guest("guest.p1.wasm")));
    }

    private void awaitWaiting(PodResource pod, Set<String> reasons) {
        in.await(pod, "waiting for " + reasons, found -> isWaiting(found, reasons));
    }

    private static boolean isWaiting(Pod pod, Set<String> reasons) {
        return pod.getStatus().getContainerStatuses().stream()
                .anyMatch(status ->
                        status.getName().equals(APP)
                                && status.getState().getWaiting() != null
                                && reasons.contains(status.getState().getWaiting().getReason()));
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
