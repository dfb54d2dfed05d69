package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ExecSyncResponse;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What CRI promises about commands that are run in a container, whose programs are found as those
/// of any image.
@EveryNode
class CriConformanceExecE2E {
    private final TestNode on;

    CriConformanceExecE2E(TestNode on) {
        this.on = on;
    }

    @Test
    void theOutputOfACommandComesBack() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.toolbox("top"));

            ExecSyncResponse answer =
                    container.exec(30, "sh", "-c", "echo -n hello; echo error >&2");

            assertThat(answer.getExitCode()).isZero();
            assertThat(answer.getStdout().toStringUtf8()).isEqualTo("hello");
            assertThat(answer.getStderr().toStringUtf8()).isEqualTo("error\n");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 255})
    void theExitCodeOfACommandComesBack(int code) {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.toolbox("top"));

            assertThat(container.exec(30, "sh", "-c", "exit " + code).getExitCode())
                    .isEqualTo(code);
        }
    }

    @Test
    void aCommandHasTheContainersSurroundings() {
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.toolbox("top").env("GREETING", "hello").workingDirectory("/tmp"));

            ExecSyncResponse answer =
                    container.exec(30, "sh", "-c", "echo $GREETING; hostname; pwd");

            assertThat(answer.getStdout().toStringUtf8())
                    .isEqualTo("hello\n" + pod.name() + "\n/tmp\n");
        }
    }

    @Test
    void filesAreThoseOfTheContainer() {
        try (Pod pod = on.pod()) {
            PodContainer first = pod.start(on.toolbox("top"));
            PodContainer second = pod.start(on.toolbox("top"));

            assertThat(first.exec(30, "sh", "-c", "echo mine >/mine").getExitCode()).isZero();

            assertThat(first.exec(30, "cat", "/mine").getStdout().toStringUtf8())
                    .isEqualTo("mine\n");
            assertThat(second.exec(30, "cat", "/mine").getExitCode()).isNotZero();
        }
    }

    @Test
    void aCommandThatTakesTooLongIsGivenUpAndTheContainerLivesOn() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.toolbox("top"));

            assertThatThrownBy(() -> container.exec(1, "sleep", "4321"))
                    .hasMessageContaining("DEADLINE_EXCEEDED");

            assertThat(container.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(container.exec(30, "echo", "still here").getStdout().toStringUtf8())
                    .isEqualTo("still here\n");
        }
    }

    @Test
    void aCommandThatThereIsNotEndsWith127AndDoesNotFailTheCall() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.toolbox("top"));

            ExecSyncResponse answer = container.exec(30, "no-such-command");

            assertThat(answer.getExitCode()).isEqualTo(127);
            assertThat(answer.getStderr().toStringUtf8()).contains("no-such-command");
        }
    }

    @Test
    void commandsRunAtOnce() throws Exception {
        int count = 8;
        try (Pod pod = on.pod();
                var executor = Executors.newFixedThreadPool(count)) {
            PodContainer container = pod.start(on.toolbox("top"));
            var calls = new ArrayList<Callable<ExecSyncResponse>>();
            for (int i = 0; i < count; i++) {
                String number = Integer.toString(i);
                calls.add(() -> container.exec(30, "echo", number));
            }
            List<Future<ExecSyncResponse>> answers = executor.invokeAll(calls);

            for (int i = 0; i < count; i++) {
                assertThat(answers.get(i).get().getStdout().toStringUtf8()).isEqualTo(i + "\n");
            }
        }
    }

    @Test
    void noCommandRunsInAContainerThatDoesNotRun() {
        try (Pod pod = on.pod()) {
            PodContainer created = pod.create(on.toolbox("top"));
            PodContainer ended = pod.start(on.toolbox("true"));
            ended.awaitExit();

            assertThatThrownBy(() -> created.exec(30, "true"))
                    .hasMessageContaining("CONTAINER_CREATED");
            assertThatThrownBy(() -> ended.exec(30, "true"))
                    .hasMessageContaining("CONTAINER_EXITED");
        }
    }
}
