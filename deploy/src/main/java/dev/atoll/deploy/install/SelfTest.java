package dev.atoll.deploy.install;

import dev.atoll.cri.v1.ContainerConfig;
import dev.atoll.cri.v1.ContainerMetadata;
import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.ContainerStatusRequest;
import dev.atoll.cri.v1.CreateContainerRequest;
import dev.atoll.cri.v1.Image;
import dev.atoll.cri.v1.ImageSpec;
import dev.atoll.cri.v1.LinuxPodSandboxConfig;
import dev.atoll.cri.v1.LinuxSandboxSecurityContext;
import dev.atoll.cri.v1.ListImagesRequest;
import dev.atoll.cri.v1.ListPodSandboxRequest;
import dev.atoll.cri.v1.Mount;
import dev.atoll.cri.v1.NamespaceMode;
import dev.atoll.cri.v1.NamespaceOption;
import dev.atoll.cri.v1.PodSandboxConfig;
import dev.atoll.cri.v1.PodSandboxFilter;
import dev.atoll.cri.v1.PodSandboxMetadata;
import dev.atoll.cri.v1.PodSandboxState;
import dev.atoll.cri.v1.RemovePodSandboxRequest;
import dev.atoll.cri.v1.RunPodSandboxRequest;
import dev.atoll.cri.v1.StartContainerRequest;
import dev.atoll.cri.v1.StopPodSandboxRequest;
import dev.atoll.deploy.cri.CriClient;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.UUID;

/// Runs a pod by CRI, as kubelet does, on the node's network. Its program is a file of the host, so
/// nothing is pulled; any image that is there lends its root.
record SelfTest(Host host, CriClient client, String handler) {
    private static final String PROGRAM = "(module (func (export \"_start\")))\n";
    private static final String PLACE = "/atoll-self-test.wat";
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Duration PAUSE = Duration.ofMillis(50);

    /// Kubelet ends pods that it did not make, which it looks for every two seconds (kubelet.go,
    /// `housekeepingPeriod`): the next one has nearly all of that time.
    private static final int ATTEMPTS = 3;

    /// Somebody else ended the pod, so that how it went proves nothing.
    private static final class EndedFromOutside extends Exception {
        private static final long serialVersionUID = 1L;

        EndedFromOutside(Exception failure) {
            super(words(failure), failure);
        }
    }

    Finding run() throws InstallFailed, IOException {
        Optional<String> image = smallestImage();
        if (image.isEmpty()) {
            return Finding.note(
                    "pod", "none was run: the node has no image yet", "run a pod of your own");
        }
        for (int ended = 0; ; ended++) {
            try {
                return Finding.fine("pod", attempt(image.get()) + endedBefore(ended));
            } catch (EndedFromOutside e) {
                if (ended + 1 == ATTEMPTS) {
                    throw new InstallFailed(
                            "each of %d pods of the runtime %s was ended from outside, the last with: %s; see /run/atoll/atolld.log and containerd's log"
                                    .formatted(ATTEMPTS, handler, e.getMessage()),
                            e);
                }
            }
        }
    }

    private static String endedBefore(int pods) {
        return pods == 0
                ? ""
                : "; %d before it was ended from outside, as kubelet does with pods that it did not make"
                        .formatted(pods);
    }

    /// @return what was seen
    private String attempt(String image) throws InstallFailed, EndedFromOutside, IOException {
        String uid = UUID.randomUUID().toString();
        String program = Layout.RUN_DIRECTORY + "-self-test-" + uid + ".wat";
        Instant start = Instant.now();
        Files.writeString(host.path(program), PROGRAM);
        try {
            run(uid, image, program);
            return "one of the runtime %s ran to its end in %d ms"
                    .formatted(handler, Duration.between(start, Instant.now()).toMillis());
        } catch (StatusRuntimeException e) {
            throw new InstallFailed(
                    "no pod of the runtime %s can be run: %s".formatted(handler, words(e)), e);
        } finally {
            Files.deleteIfExists(host.path(program));
        }
    }

    private static String words(Exception failure) {
        return failure instanceof StatusRuntimeException e
                ? String.valueOf(e.getStatus().getDescription())
                : String.valueOf(failure.getMessage());
    }

    private Optional<String> smallestImage() {
        return client
                .images()
                .listImages(ListImagesRequest.getDefaultInstance())
                .getImagesList()
                .stream()
                .filter(image -> image.getRepoTagsCount() > 0)
                .min(Comparator.comparingLong(Image::getSize))
                .map(image -> image.getRepoTags(0));
    }

    private void run(String uid, String image, String program)
            throws InstallFailed, EndedFromOutside {
        PodSandboxConfig pod =
                PodSandboxConfig.newBuilder()
                        .setMetadata(
                                PodSandboxMetadata.newBuilder()
                                        .setName("atoll-self-test")
                                        .setNamespace("default")
                                        .setUid(uid))
                        .setLinux(
                                LinuxPodSandboxConfig.newBuilder()
                                        .setSecurityContext(
                                                LinuxSandboxSecurityContext.newBuilder()
                                                        .setNamespaceOptions(
                                                                NamespaceOption.newBuilder()
                                                                        .setNetwork(
                                                                                NamespaceMode
                                                                                        .NODE))))
                        .build();
        String sandbox =
                client.runtime()
                        .runPodSandbox(
                                RunPodSandboxRequest.newBuilder()
                                        .setConfig(pod)
                                        .setRuntimeHandler(handler)
                                        .build())
                        .getPodSandboxId();
        try {
            runContainer(sandbox, pod, container(image, program));
        } catch (InstallFailed | StatusRuntimeException e) {
            if (!isReady(sandbox)) {
                throw new EndedFromOutside(e);
            }
            throw e;
        } finally {
            client.runtime()
                    .stopPodSandbox(
                            StopPodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
            client.runtime()
                    .removePodSandbox(
                            RemovePodSandboxRequest.newBuilder().setPodSandboxId(sandbox).build());
        }
    }

    /// @throws InstallFailed if it does not end well
    private void runContainer(String sandbox, PodSandboxConfig pod, ContainerConfig config)
            throws InstallFailed {
        String container =
                client.runtime()
                        .createContainer(
                                CreateContainerRequest.newBuilder()
                                        .setPodSandboxId(sandbox)
                                        .setSandboxConfig(pod)
                                        .setConfig(config)
                                        .build())
                        .getContainerId();
        client.runtime()
                .startContainer(
                        StartContainerRequest.newBuilder().setContainerId(container).build());
        ContainerStatus end = awaitEnd(container);
        if (end.getExitCode() != 0) {
            throw new InstallFailed(
                    "a pod of the runtime %s ended with %d: %s"
                            .formatted(
                                    handler,
                                    end.getExitCode(),
                                    end.getMessage().isEmpty()
                                            ? end.getReason()
                                            : end.getMessage()));
        }
    }

    private boolean isReady(String sandbox) {
        PodSandboxFilter filter = PodSandboxFilter.newBuilder().setId(sandbox).build();
        return client
                .runtime()
                .listPodSandbox(ListPodSandboxRequest.newBuilder().setFilter(filter).build())
                .getItemsList()
                .stream()
                .anyMatch(found -> found.getState() == PodSandboxState.SANDBOX_READY);
    }

    private static ContainerConfig container(String image, String program) {
        return ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName("self-test"))
                .setImage(ImageSpec.newBuilder().setImage(image))
                .addCommand(PLACE)
                .addMounts(
                        Mount.newBuilder()
                                .setHostPath(program)
                                .setContainerPath(PLACE)
                                .setReadonly(true))
                .build();
    }

    private ContainerStatus awaitEnd(String container) throws InstallFailed {
        Deadline deadline = Deadline.in(DEADLINE, PAUSE, "a pod ran");
        while (true) {
            ContainerStatus status =
                    client.runtime()
                            .containerStatus(
                                    ContainerStatusRequest.newBuilder()
                                            .setContainerId(container)
                                            .build())
                            .getStatus();
            if (status.getState() == ContainerState.CONTAINER_EXITED) {
                return status;
            }
            if (deadline.isOver()) {
                throw new InstallFailed(
                        "a pod of the runtime %s did not end within %d s"
                                .formatted(handler, DEADLINE.toSeconds()));
            }
            deadline.await();
        }
    }
}
