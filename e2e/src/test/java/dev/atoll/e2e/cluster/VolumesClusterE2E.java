package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What the kubelet puts into a guest's file system and environment.
@OnCluster
class VolumesClusterE2E {
    /// The kubelet looks at what has changed about once a minute, or as often as it is told to.
    private static final Duration UPDATE = Duration.ofSeconds(150);

    private final TestNamespace in;

    VolumesClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void aConfigMapIsFilesAndItsChangeReachesARunningGuest() {
        in.create(configMap("settings", "before"));
        serve("web", volumeOf("settings"));
        assertThat(in.ask("web", "/read?path=/volume/greeting")).isEqualTo("before");

        in.client().resource(configMap("settings", "after")).update();

        awaitContent("web", "after");
    }

    @Test
    void aSecretIsFilesAndItsChangeReachesARunningGuest() {
        in.create(secret("password", "before"));
        Volume volume =
                new VolumeBuilder()
                        .withName("password")
                        .withNewSecret()
                        .withSecretName("password")
                        .endSecret()
                        .build();
        serve("web", volume);
        assertThat(in.ask("web", "/read?path=/volume/greeting")).isEqualTo("before");
        assertThatThrownBy(() -> in.ask("web", "/write?path=/volume/greeting&text=x"))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("Internal Server Error");
        assertThat(in.ask("web", "/read?path=/volume/greeting")).isEqualTo("before");

        in.client().resource(secret("password", "after")).update();

        awaitContent("web", "after");
    }

    @Test
    void configMapsSecretsAndFieldsAreVariables() {
        in.create(configMap("settings", "from the map"));
        in.create(secret("password", "from the secret"));
        PodResource pod =
                in.create(
                        "env",
                        in.pod(
                                        in.guest("env")
                                                .addNewEnv()
                                                .withName("MAP")
                                                .withNewValueFrom()
                                                .withNewConfigMapKeyRef(
                                                        "greeting", "settings", false)
                                                .endValueFrom()
                                                .endEnv()
                                                .addNewEnv()
                                                .withName("SECRET")
                                                .withNewValueFrom()
                                                .withNewSecretKeyRef("greeting", "password", false)
                                                .endValueFrom()
                                                .endEnv()
                                                .addNewEnv()
                                                .withName("POD")
                                                .withNewValueFrom()
                                                .withNewFieldRef("v1", "metadata.name")
                                                .endValueFrom()
                                                .endEnv()
                                                .build())
                                .build());
        in.awaitEnd(pod);

        assertThat(pod.getLog().lines())
                .contains("MAP=from the map", "SECRET=from the secret", "POD=env");
    }

    @Test
    void theServiceAccountsTokenIsThereAndIsAJsonWebToken() {
        PodResource pod =
                in.create(
                        "token",
                        in.pod(
                                        in.guest(
                                                        "read",
                                                        "/var/run/secrets/kubernetes.io/serviceaccount/token")
                                                .build())
                                .build());
        in.awaitEnd(pod);

        String[] parts = pod.getLog().split("\\.", -1);
        assertThat(parts).hasSize(3);
        assertThat(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8))
                .contains("system:serviceaccount:" + in.name() + ":default");
    }

    @Test
    void projectedSourcesShareADirectory() {
        in.create(configMap("settings", "from the map"));
        Volume volume =
                new VolumeBuilder()
                        .withName("all")
                        .withNewProjected()
                        .addNewSource()
                        .withNewConfigMap()
                        .withName("settings")
                        .endConfigMap()
                        .endSource()
                        .addNewSource()
                        .withNewDownwardAPI()
                        .addNewItem()
                        .withPath("labels")
                        .withNewFieldRef("v1", "metadata.labels")
                        .endItem()
                        .endDownwardAPI()
                        .endSource()
                        .addNewSource()
                        .withNewServiceAccountToken("atoll", 3600L, "token")
                        .endSource()
                        .endProjected()
                        .build();
        serve("web", volume);

        assertThat(in.ask("web", "/read?path=/volume/greeting")).isEqualTo("from the map");
        assertThat(in.ask("web", "/read?path=/volume/labels")).isEqualTo("app=\"web\"");
        assertThat(in.ask("web", "/read?path=/volume/token")).startsWith("ey");
    }

    @Test
    void aSubPathIsOneFileOfAVolume() {
        in.create(configMap("settings", "one file"));
        VolumeMount mount =
                new VolumeMountBuilder()
                        .withName("settings")
                        .withMountPath("/etc/greeting.conf")
                        .withSubPath("greeting")
                        .build();
        PodResource pod =
                in.create(
                        "sub",
                        in.pod(
                                        in.guest("read", "/etc/greeting.conf")
                                                .withVolumeMounts(mount)
                                                .build())
                                .withVolumes(volumeOf("settings"))
                                .build());

        assertThat(in.awaitEnd(pod).getStatus().getPhase()).isEqualTo("Succeeded");
        assertThat(pod.getLog()).isEqualTo("one file");
    }

    @Test
    void containersOfAPodShareAnEmptyDirThatOutlivesARestart() {
        Volume volume =
                new VolumeBuilder().withName("data").withNewEmptyDir().endEmptyDir().build();
        VolumeMount mount =
                new VolumeMountBuilder().withName("data").withMountPath("/data").build();
        PodResource pod =
                in.create(
                        "shared",
                        in.pod(
                                        in.guest("append", "/data/file", "again,")
                                                .withName("writer")
                                                .withVolumeMounts(mount)
                                                .build(),
                                        in.server().withVolumeMounts(mount).build())
                                .withRestartPolicy("Always")
                                .withVolumes(volume)
                                .build());
        in.awaitRestart(pod);

        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                // Before the server serves, and before there is a file.
                .ignoreException(KubernetesClientException.class)
                .untilAsserted(() ->
                        assertThat(in.ask("shared", "/read?path=/data/file"))
                                .startsWith("again,again,"));
    }

    private void serve(String name, Volume volume) {
        VolumeMount mount =
                new VolumeMountBuilder()
                        .withName(volume.getName())
                        .withMountPath("/volume")
                        .build();
        in.awaitReady(
                in.create(
                        name,
                        in.pod(in.server().withName(APP).withVolumeMounts(mount).build())
                                .withVolumes(volume)
                                .build()));
    }

    private void awaitContent(String pod, String expected) {
        Awaitility.await()
                .atMost(UPDATE)
                .pollInterval(Duration.ofMillis(500))
                .untilAsserted(() ->
                        assertThat(in.ask(pod, "/read?path=/volume/greeting")).isEqualTo(expected));
    }

    private static Volume volumeOf(String configMap) {
        return new VolumeBuilder()
                .withName(configMap)
                .withNewConfigMap()
                .withName(configMap)
                .endConfigMap()
                .build();
    }

    private static ConfigMap configMap(String name, String greeting) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .addToData("greeting", greeting)
                .build();
    }

    private static Secret secret(String name, String greeting) {
        return new SecretBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .addToStringData("greeting", greeting)
                .build();
    }
}
