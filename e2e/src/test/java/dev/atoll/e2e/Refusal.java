package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import io.grpc.StatusRuntimeException;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The sentence with which a container is refused.
final class Refusal {
    /// What containerd puts before it: the container was not made, or not started.
    private static final Pattern PREFIX =
            Pattern.compile(
                    "failed to create shim task: |failed to start containerd task \"[^\"]*\": ");

    private Refusal() {}

    /// Starts a container that is meant to be refused, and returns the part of the message that is
    /// Atoll's: the part that `kubectl describe pod` shows last.
    static String of(TestNode on, ContainerRequest request) {
        try (Pod pod = on.pod()) {
            return of(pod, request);
        }
    }

    /// Starts a container in a pod.
    static String of(Pod pod, ContainerRequest request) {
        PodContainer container = pod.create(request);

        StatusRuntimeException refused =
                catchThrowableOfType(StatusRuntimeException.class, container::start);

        assertThat(refused).as("the container was started").isNotNull();
        ContainerStatus status = container.status();
        assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(status.getExitCode()).isEqualTo(128);
        assertThat(status.getReason()).isEqualTo("StartError");
        String description = Objects.requireNonNull(refused.getStatus().getDescription());
        assertThat(status.getMessage()).isNotBlank();
        Matcher prefix = PREFIX.matcher(description);
        assertThat(prefix.find()).as(description).isTrue();
        String sentence = description.substring(prefix.end());
        assertThat(sentence).as("one line").doesNotContain("\n").hasSizeGreaterThan(20);
        System.out.println("refused: " + sentence);
        return sentence;
    }
}
