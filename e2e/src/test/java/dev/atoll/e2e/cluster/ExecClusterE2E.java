package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Commands in running guests: kubectl's, probes' and hooks'.
@OnCluster
@Timeout(180)
class ExecClusterE2E {
    private final TestNamespace in;

    ExecClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void execRunsTheGuestsProgramAndItsExitCodeComesBack() throws Exception {
        PodResource pod = sleeper("sleeper");

        Result good = exec(pod, "/app.wasm", "both", "out", "err");
        Result bad = exec(pod, "/app.wasm", "exit", "7");

        assertThat(good).isEqualTo(new Result(0, "out\n", "err\n"));
        assertThat(bad.code()).isEqualTo(7);
    }

    @Test
    void execReadsWhatIsTyped() throws IOException {
        PodResource pod = sleeper("sleeper");
        var output = new ByteArrayOutputStream();

        try (ExecWatch command =
                pod.inContainer(APP)
                        .redirectingInput()
                        .writingOutput(output)
                        .exec("/app.wasm", "cat")) {
            command.getInput().write("typed\n".getBytes(StandardCharsets.UTF_8));
            command.getInput().flush();

            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> output.toString(StandardCharsets.UTF_8).equals("typed\n"));
        }
    }

    @Test
    void aCommandThatIsNotThereSaysSo() throws Exception {
        Result result = exec(sleeper("sleeper"), "/bin/sh", "-c", "true");

        assertThat(result.code()).isIn(126, 127);
        assertThat(result.errors()).contains("/bin/sh");
    }

    @Test
    void aGuestIsReadyWhenItsReadinessCommandSucceeds() {
        PodResource pod =
                in.create(
                        "ready",
                        in.pod(
                                        in.guest("sleep")
                                                .withReadinessProbe(command("exit", "0").build())
                                                .build())
                                .build());

        in.awaitReady(pod);
    }

    @Test
    void aGuestWhoseLivenessCommandFailsIsRestarted() {
        PodResource pod =
                in.create(
                        "sick",
                        in.pod(
                                        in.guest("sleep")
                                                .withLivenessProbe(
                                                        command("exit", "1")
                                                                .withFailureThreshold(2)
                                                                .build())
                                                .build())
                                .withRestartPolicy("Always")
                                .build());

        Pod found = in.awaitRestart(pod);

        assertThat(status(found, APP).getLastState().getTerminated().getExitCode()).isEqualTo(143);
    }

    @Test
    void hooksRunAfterTheStartAndBeforeTheStop() {
        PodResource pod =
                in.create(
                        "hooks",
                        in.pod(
                                        in.guest("tick", "100")
                                                .withNewLifecycle()
                                                .withNewPostStart()
                                                .withNewExec()
                                                .withCommand("/app.wasm", "write", "/started", "x")
                                                .endExec()
                                                .endPostStart()
                                                .withNewPreStop()
                                                .withNewExec()
                                                .withCommand("/app.wasm", "sleep", "1000")
                                                .endExec()
                                                .endPreStop()
                                                .endLifecycle()
                                                .build())
                                .build());
        in.awaitReady(pod);

        pod.delete();
        pod.waitUntilCondition(found -> found == null, 90, TimeUnit.SECONDS);

        assertThat(in.events("hooks"))
                .noneMatch(text -> text.contains("Hook") && text.contains("failed"));
    }

    private PodResource sleeper(String name) {
        PodResource pod = in.create(name, in.pod(in.guest("sleep").build()).build());
        in.awaitReady(pod);
        return pod;
    }

    private static ProbeBuilder command(String... words) {
        return new ProbeBuilder()
                .withNewExec()
                .addToCommand("/app.wasm")
                .addToCommand(words)
                .endExec()
                .withPeriodSeconds(1);
    }

    /// How a command ended.
    private record Result(int code, String output, String errors) {}

    private static Result exec(PodResource pod, String... words)
            throws InterruptedException, ExecutionException, TimeoutException {
        var output = new ByteArrayOutputStream();
        var errors = new ByteArrayOutputStream();
        try (ExecWatch command =
                pod.inContainer(APP).writingOutput(output).writingError(errors).exec(words)) {
            int code = command.exitCode().get(60, TimeUnit.SECONDS);
            return new Result(
                    code,
                    output.toString(StandardCharsets.UTF_8),
                    errors.toString(StandardCharsets.UTF_8));
        }
    }
}
