package dev.atoll.e2e.cluster;

import static dev.atoll.e2e.cluster.TestNamespace.APP;
import static dev.atoll.e2e.cluster.TestNamespace.status;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What controllers and the kubelet make of a guest's exit.
@OnCluster
@Timeout(240)
class WorkloadsClusterE2E {
    private final TestNamespace in;

    WorkloadsClusterE2E(TestNamespace in) {
        this.in = in;
    }

    @Test
    @Tag("smoke")
    void aPodWithNothingButAnImageRuns() {
        PodResource pod =
                in.create("hello", in.pod(in.containerOf("hello.p2.wasm").build()).build());

        assertThat(in.awaitEnd(pod).getStatus().getPhase()).isEqualTo("Succeeded");
        assertThat(pod.getLog()).isEqualTo("Hello from WebAssembly\n");
    }

    @Test
    @Tag("smoke")
    void aDeploymentHasReadyReplicasAndNewOnesForThoseThatAreDeleted() {
        in.deploy("web", 2, in.server().build());
        Pod first = in.podsOf("web").getFirst();

        in.client().resource(first).delete();

        in.awaitPods(
                "web",
                "two ready pods without the first",
                pods ->
                        pods.size() == 2
                                && pods.stream().allMatch(TestNamespace::isReady)
                                && pods.stream().noneMatch(pod -> name(pod).equals(name(first))));
    }

    @Test
    void aJobWhoseGuestSucceedsIsComplete() {
        Job job = in.create(job("good", 0, in.guest("echo", "done").build()));

        job =
                in.await(
                        job,
                        "success",
                        found -> Integer.valueOf(1).equals(found.getStatus().getSucceeded()));

        assertThat(job.getStatus().getConditions())
                .anySatisfy(condition -> {
                    assertThat(condition.getType()).isEqualTo("Complete");
                    assertThat(condition.getStatus()).isEqualTo("True");
                });
    }

    @Test
    @Tag("smoke")
    void aJobWhoseGuestFailsIsTriedAgainAndThenFailed() {
        Job job = in.create(job("bad", 1, in.guest("exit", "3").build()));

        job =
                in.await(
                        job,
                        "failure",
                        found ->
                                found.getStatus().getConditions().stream()
                                        .anyMatch(
                                                condition -> condition.getType().equals("Failed")));

        assertThat(job.getStatus().getFailed()).isEqualTo(2);
        List<Pod> pods = in.client().pods().withLabel("job-name", "bad").list().getItems();
        assertThat(pods).hasSize(2).extracting(pod -> end(pod).getExitCode()).containsOnly(3);
    }

    @Test
    void aCronJobRunsAtItsMinute() {
        PodTemplateSpec template = template(in.guest("echo", "tick").build());
        CronJob cron =
                in.create(
                        new CronJobBuilder()
                                .withNewMetadata()
                                .withName("cron")
                                .endMetadata()
                                .withNewSpec()
                                .withSchedule("* * * * *")
                                .withNewJobTemplate()
                                .withNewSpec()
                                .withTemplate(template)
                                .endSpec()
                                .endJobTemplate()
                                .endSpec()
                                .build());

        in.await(
                cron, "successful run", found -> found.getStatus().getLastSuccessfulTime() != null);

        List<Job> jobs = in.client().batch().v1().jobs().list().getItems();
        assertThat(jobs).isNotEmpty();
        assertThat(jobs.getFirst().getMetadata().getOwnerReferences().getFirst().getName())
                .isEqualTo("cron");
    }

    @Test
    void whatFailsAgainAndAgainBacksOff() {
        PodResource pod =
                in.create(
                        "loop",
                        in.pod(in.guest("exit", "4").build()).withRestartPolicy("Always").build());

        Pod found =
                in.await(
                        pod,
                        "CrashLoopBackOff",
                        now ->
                                now.getStatus().getContainerStatuses().stream()
                                        .anyMatch(status ->
                                                status.getRestartCount() > 0
                                                        && status.getState().getWaiting() != null
                                                        && status.getState()
                                                                .getWaiting()
                                                                .getReason()
                                                                .equals("CrashLoopBackOff")));

        assertThat(status(found, APP).getLastState().getTerminated().getExitCode()).isEqualTo(4);
    }

    @Test
    void onFailureRestartsWhatFailedAndLeavesWhatSucceeded() {
        PodResource pod =
                in.create(
                        "on-failure",
                        in.pod(
                                        in.guest("exit", "1").withName("fails").build(),
                                        in.guest("echo", "fine").withName("succeeds").build())
                                .withRestartPolicy("OnFailure")
                                .build());

        Pod found = in.awaitRestart(pod);

        assertThat(status(found, "fails").getRestartCount()).isPositive();
        assertThat(status(found, "succeeds").getRestartCount()).isZero();
        assertThat(status(found, "succeeds").getState().getTerminated().getReason())
                .isEqualTo("Completed");
    }

    @Test
    void initContainersRunOneAfterAnotherBeforeTheOthers() {
        var data = new VolumeBuilder().withName("data").withNewEmptyDir().endEmptyDir().build();
        var mount = new VolumeMountBuilder().withName("data").withMountPath("/data").build();
        PodResource pod =
                in.create(
                        "init",
                        in.pod(in.guest("read", "/data/file").withVolumeMounts(mount).build())
                                .withInitContainers(
                                        in.guest("write", "/data/file", "one,")
                                                .withName("first")
                                                .withVolumeMounts(mount)
                                                .build(),
                                        in.guest("append", "/data/file", "two")
                                                .withName("second")
                                                .withVolumeMounts(mount)
                                                .build())
                                .withVolumes(data)
                                .build());

        assertThat(in.awaitEnd(pod).getStatus().getPhase()).isEqualTo("Succeeded");
        assertThat(pod.inContainer(APP).getLog()).isEqualTo("one,two");
    }

    @Test
    void anInitContainerThatFailsKeepsTheOthersFromStarting() {
        PodResource pod =
                in.create(
                        "init-fails",
                        in.pod(in.guest("echo", "never").build())
                                .withInitContainers(in.guest("exit", "5").withName("first").build())
                                .build());

        Pod found = in.awaitEnd(pod);

        assertThat(found.getStatus().getPhase()).isEqualTo("Failed");
        assertThat(status(found, "first").getState().getTerminated().getExitCode()).isEqualTo(5);
        assertThat(status(found, APP).getState().getWaiting().getReason())
                .isEqualTo("PodInitializing");
    }

    @Test
    void whatAGuestWritesAsItsLastWordsIsItsTerminationMessage() {
        PodResource pod =
                in.create(
                        "last-words",
                        in.pod(in.guest("write", "/dev/termination-log", "all is said").build())
                                .build());

        assertThat(end(in.awaitEnd(pod)).getMessage()).isEqualTo("all is said");
    }

    @Test
    void whyAGuestCannotStartIsSaidInItsStatus() {
        PodResource pod =
                in.create("no-wasi", in.pod(in.containerOf("missing-import.wat").build()).build());

        Pod found = in.awaitEnd(pod);

        assertThat(end(found).getReason()).isEqualTo("StartError");
        assertThat(end(found).getExitCode()).isEqualTo(128);
        assertThat(end(found).getMessage()).contains("import");
    }

    @Test
    void aGuestThatIsDeletedDoesNotWaitOutItsGracePeriod() {
        PodResource pod =
                in.create(
                        "sleeper",
                        in.pod(in.guest("sleep").build())
                                .withTerminationGracePeriodSeconds(600L)
                                .build());
        in.awaitReady(pod);

        pod.delete();

        in.awaitGone(pod);
    }

    @Test
    void aServerThatIsDeletedFinishesWhatItWasAsked() throws IOException, InterruptedException {
        PodResource pod = in.create("web", in.pod(in.server().build()).build());
        in.awaitReady(pod);

        try (LocalPortForward forward = pod.portForward(8080);
                HttpClient http = HttpClient.newHttpClient()) {
            var request =
                    URI.create(
                            "http://127.0.0.1:%d/stream?chunks=4&size=10&pause=1000"
                                    .formatted(forward.getLocalPort()));
            try (InputStream body =
                    http.send(HttpRequest.newBuilder(request).build(), BodyHandlers.ofInputStream())
                            .body()) {
                byte[] first = body.readNBytes(10);
                pod.delete();

                assertThat(new String(first, StandardCharsets.UTF_8)).isEqualTo("xxxxxxxxxx");
                assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8))
                        .isEqualTo("x".repeat(30));
            }
        }
        in.awaitGone(pod);
    }

    private Job job(String name, int retries, Container container) {
        return new JobBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withBackoffLimit(retries)
                .withTemplate(template(container))
                .endSpec()
                .build();
    }

    private PodTemplateSpec template(Container container) {
        return new PodTemplateSpecBuilder().withSpec(in.pod(container).build()).build();
    }

    private static String name(Pod pod) {
        return pod.getMetadata().getName();
    }

    private static ContainerStateTerminated end(Pod pod) {
        return status(pod, APP).getState().getTerminated();
    }
}
