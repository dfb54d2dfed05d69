package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Logs and attached streams, as kubectl asks for them.
@OnCluster
@Timeout(120)
class StreamsClusterE2E {
    private final TestNamespace in;

    StreamsClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void logsAreFollowedWhileTheGuestRuns() throws IOException {
        PodResource pod = in.create("ticks", in.pod(in.guest("tick", "100").build()).build());
        in.awaitReady(pod);

        try (LogWatch watch = pod.watchLog();
                var lines =
                        new BufferedReader(
                                new InputStreamReader(watch.getOutput(), StandardCharsets.UTF_8))) {
            for (int i = 0; i < 20; i++) {
                assertThat(lines.readLine()).isEqualTo("tick " + i);
            }
        }
    }

    @Test
    void theLogOfTheInstanceBeforeIsKept() {
        PodResource pod =
                in.create(
                        "again",
                        in.pod(in.guest("both", "out", "err").build())
                                .withRestartPolicy("Always")
                                .build());
        in.awaitRestart(pod);

        // While the next one ends, kubelet may just have removed the one before it.
        Awaitility.await("the log of the instance before")
                .atMost(Duration.ofMinutes(1))
                .ignoreException(KubernetesClientException.class)
                .untilAsserted(() ->
                        assertThat(pod.inContainer(APP).terminated().getLog())
                                .contains("out\n")
                                .contains("err\n"));
    }

    @Test
    void whatAnAttachedClientTypesReachesTheGuest() throws IOException {
        var output = new ByteArrayOutputStream();
        PodResource pod = in.create("cat", in.pod(in.guest("cat").withStdin(true).build()).build());
        in.awaitReady(pod);

        try (ExecWatch attached =
                pod.inContainer(APP).redirectingInput().writingOutput(output).attach()) {
            attached.getInput().write("typed\n".getBytes(StandardCharsets.UTF_8));
            attached.getInput().flush();

            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> output.toString(StandardCharsets.UTF_8).equals("typed\n"));
        }
    }
}
