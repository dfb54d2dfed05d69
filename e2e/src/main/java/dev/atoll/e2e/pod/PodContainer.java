package dev.atoll.e2e.pod;

import dev.atoll.cri.v1.AttachRequest;
import dev.atoll.cri.v1.ContainerState;
import dev.atoll.cri.v1.ContainerStats;
import dev.atoll.cri.v1.ContainerStatsRequest;
import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.cri.v1.ContainerStatusRequest;
import dev.atoll.cri.v1.ExecRequest;
import dev.atoll.cri.v1.ExecSyncRequest;
import dev.atoll.cri.v1.ExecSyncResponse;
import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.cri.v1.RemoveContainerRequest;
import dev.atoll.cri.v1.ReopenContainerLogRequest;
import dev.atoll.cri.v1.StartContainerRequest;
import dev.atoll.cri.v1.StopContainerRequest;
import dev.atoll.cri.v1.UpdateContainerResourcesRequest;
import dev.atoll.e2e.net.ChannelSocket;
import dev.atoll.e2e.node.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/// A container of a pod, through CRI.
public final class PodContainer {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private final Node node;
    private final String id;

    PodContainer(Node node, String id) {
        this.node = node;
        this.id = id;
    }

    /// Returns its id.
    public String id() {
        return id;
    }

    /// Starts it.
    public PodContainer start() {
        node.cri()
                .runtime()
                .startContainer(StartContainerRequest.newBuilder().setContainerId(id).build());
        return this;
    }

    /// Asks it to stop, and kills it after so many seconds.
    public void stop(int seconds) {
        node.cri()
                .runtime()
                .stopContainer(
                        StopContainerRequest.newBuilder()
                                .setContainerId(id)
                                .setTimeout(seconds)
                                .build());
    }

    /// Removes it, whatever it does.
    public void remove() {
        node.cri()
                .runtime()
                .removeContainer(RemoveContainerRequest.newBuilder().setContainerId(id).build());
    }

    /// Executes a command as a probe or a hook does, without a limit of time.
    public ExecResult exec(String... words) {
        return exec(0, words);
    }

    /// Executes a command as a probe or a hook does.
    ///
    /// @param seconds how long it may take; 0 for ever
    public ExecResult exec(int seconds, String... words) {
        ExecSyncResponse response =
                node.cri()
                        .runtime()
                        .execSync(
                                ExecSyncRequest.newBuilder()
                                        .setContainerId(id)
                                        .addAllCmd(List.of(words))
                                        .setTimeout(seconds)
                                        .build());
        return new ExecResult(
                response.getExitCode(),
                response.getStdout().toString(StandardCharsets.ISO_8859_1),
                response.getStderr().toString(StandardCharsets.ISO_8859_1));
    }

    /// Executes a command as `kubectl exec -i` does.
    public ContainerSession execInteractively(String... words) throws IOException {
        return exec(ExecRequest.newBuilder().setStderr(true), words);
    }

    /// Executes a command as `kubectl exec -it` does.
    public ContainerSession execAtTerminal(String... words) throws IOException {
        return exec(ExecRequest.newBuilder().setTty(true), words);
    }

    private ContainerSession exec(ExecRequest.Builder request, String... words) throws IOException {
        ExecRequest whole =
                request.setContainerId(id)
                        .addAllCmd(List.of(words))
                        .setStdin(true)
                        .setStdout(true)
                        .build();
        return session(node.cri().runtime().exec(whole).getUrl());
    }

    /// Attaches to its streams as `kubectl attach -i` does.
    public ContainerSession attach() throws IOException {
        return attach(AttachRequest.newBuilder().setStderr(true));
    }

    /// Attaches to its terminal as `kubectl attach -it` does.
    public ContainerSession attachToTerminal() throws IOException {
        return attach(AttachRequest.newBuilder().setTty(true));
    }

    private ContainerSession attach(AttachRequest.Builder request) throws IOException {
        AttachRequest whole = request.setContainerId(id).setStdin(true).setStdout(true).build();
        return session(node.cri().runtime().attach(whole).getUrl());
    }

    private ContainerSession session(String url) throws IOException {
        return new ContainerSession(ChannelSocket.open(node.network(), URI.create(url), ""));
    }

    /// Returns its status.
    public ContainerStatus status() {
        return node.cri()
                .runtime()
                .containerStatus(ContainerStatusRequest.newBuilder().setContainerId(id).build())
                .getStatus();
    }

    /// Has a new log file begun, after the old one was renamed.
    public void reopenLog() {
        node.cri()
                .runtime()
                .reopenContainerLog(
                        ReopenContainerLogRequest.newBuilder().setContainerId(id).build());
    }

    /// Returns what it uses.
    public ContainerStats stats() {
        return node.cri()
                .runtime()
                .containerStats(ContainerStatsRequest.newBuilder().setContainerId(id).build())
                .getStats();
    }

    /// Changes its resources while it runs.
    public void update(LinuxContainerResources resources) {
        node.cri()
                .runtime()
                .updateContainerResources(
                        UpdateContainerResourcesRequest.newBuilder()
                                .setContainerId(id)
                                .setLinux(resources)
                                .build());
    }

    /// Waits until it ended, and returns its last status.
    public ContainerStatus awaitExit() {
        return Awaitility.await("the end of container " + id)
                .atMost(DEADLINE)
                .pollInterval(Duration.ofMillis(2))
                .until(
                        this::status,
                        status -> status.getState() == ContainerState.CONTAINER_EXITED);
    }

    /// Waits until its log is as wanted, and returns it.
    public ContainerLog awaitLog(Predicate<ContainerLog> wanted) {
        return Awaitility.await("the log of container " + id)
                .atMost(DEADLINE)
                .pollInterval(Duration.ofMillis(10))
                .until(this::log, wanted);
    }

    /// Waits until its standard output has the text.
    public PodContainer awaitOutput(String text) {
        var _ = awaitLog(log -> log.output().contains(text));
        return this;
    }

    /// Returns its log so far.
    public ContainerLog log() {
        Path file = node.path(status().getLogPath());
        try {
            return new ContainerLog(Files.readString(file, StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            return new ContainerLog("");
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }
}
