package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.protobuf.MessageLite;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.DeleteRequest;
import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.CommandResult;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.oci.image.MediaTypes;
import dev.atoll.shim.ttrpc.TtrpcClient;
import dev.atoll.shim.ttrpc.TtrpcStatusException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Calls to a node's daemon as containerd makes them, with bundles and paths that containerd would
/// not write; and a second daemon beside it.
@EveryNode
class DaemonCallsE2E {
    private static final int INVALID_ARGUMENT = 3;
    private static final int ALREADY_EXISTS = 6;
    private static final String TASK = "containerd.task.v3.Task";
    private static final String NAMESPACE = "default";
    private static final String PAUSE =
            """
            {"ociVersion": "1.2.0", "root": {"path": "rootfs"}, "process": {"args": ["/pause"], "cwd": "/"},
             "annotations": {"io.kubernetes.cri.container-type": "sandbox"}}
            """;

    private final TestNode on;
    private final String id = "raw-" + UUID.randomUUID().toString().substring(0, 8);
    private final String bundle = "/run/node/" + id;

    DaemonCallsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void aDaemonRuns() throws IOException {
        assumeFalse(TestNode.isNative(), "a native pod has no daemon");
        on.pod().close();
        assertThat(on.node().daemons()).hasSize(1);
        Files.createDirectories(on.node().path(bundle + "/rootfs"));
    }

    private void writeSpec(String text) throws IOException {
        Files.writeString(on.node().path(bundle + "/config.json"), text);
    }

    private void call(String method, MessageLite request) throws IOException, InterruptedException {
        Path socket = on.node().path("/run/atoll/ttrpc.sock");
        try (TtrpcClient client = TtrpcClient.connect(socket, NAMESPACE)) {
            client.call(TASK, method, request, Duration.ofSeconds(20));
        }
    }

    private CreateTaskRequest.Builder request() {
        return CreateTaskRequest.newBuilder().setId(id).setBundle(bundle);
    }

    private TtrpcStatusException refusalOf(CreateTaskRequest.Builder request) {
        TtrpcStatusException refused =
                catchThrowableOfType(
                        TtrpcStatusException.class, () -> call("Create", request.build()));

        assertThat(refused).as("the task was created").isNotNull();
        assertThat(refused.getMessage()).as("one line").doesNotContain("\n");
        System.out.println("refused: " + refused.getMessage());
        return refused;
    }

    @Test
    void aBundleWithoutConfigIsRefused() {
        TtrpcStatusException refused = refusalOf(request());

        assertThat(refused.code()).isEqualTo(INVALID_ARGUMENT);
        assertThat(refused).hasMessageContaining("there is no file " + bundle + "/config.json");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "no JSON",
                "{\"ociVersion\": \"1.2.0\"}",
                "{\"ociVersion\": \"1.2.0\", \"root\": 7}",
                "{\"ociVersion\": \"1.2.0\", \"root\": {\"path\": \"r\"}, \"process\": {\"args\": \"x\"}}",
                "{\"ociVersion\": \"1.2.0\", \"root\": {\"path\": \"r\"}, \"process\": {\"args\": []}}",
                "{\"ociVersion\": \"1.2.0\", \"root\": {\"path\": \"r\"}}"
            })
    void aMalformedConfigIsRefused(String config) throws IOException {
        writeSpec(config);

        TtrpcStatusException refused = refusalOf(request());

        assertThat(refused.code()).isEqualTo(INVALID_ARGUMENT);
        assertThat(refused).hasMessageContaining("config.json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/run/node/nowhere/output", "/run/node"})
    void anOutputPathThatCannotBeOpenedIsNamed(String path) throws IOException {
        Artifact artifact =
                Artifact.of(Checkout.guest("hello.p1.wasm")).withConfigType(MediaTypes.OCI_CONFIG);
        String image = on.images().push(artifact);
        on.node().ctr(NAMESPACE, "images", "pull", "--plain-http", image).orThrow("pull " + image);
        on.node()
                .ctr(NAMESPACE, "containers", "create", image, id, "/app.wasm")
                .orThrow("create " + id);
        try {
            writeSpec(
                    on.node()
                            .ctr(NAMESPACE, "containers", "info", "--spec", id)
                            .orThrow("read the spec of " + id));

            assertThat(refusalOf(request().setStdout(path)))
                    .hasMessageContaining("stdout")
                    .hasMessageContaining(path);
        } finally {
            on.node().ctr(NAMESPACE, "containers", "delete", id).orThrow("delete " + id);
        }
    }

    @Test
    void aSecondCreateOfAnIdIsRefusedAndTheFirstStays() throws IOException, InterruptedException {
        writeSpec(PAUSE);
        call("Create", request().build());

        TtrpcStatusException refused = refusalOf(request());

        assertThat(refused.code()).isEqualTo(ALREADY_EXISTS);
        call("Delete", DeleteRequest.newBuilder().setId(id).build());
    }

    @Test
    void aSecondDaemonOfARunDirectoryIsRefused() {
        List<NodeProcess> before = on.node().daemons();

        CommandResult second = atolld("/run/atoll");

        assertThat(second.exitCode()).isEqualTo(1);
        assertThat(second.output() + second.errors())
                .contains("another atolld holds /run/atoll/atolld.lock", "--run-dir");
        assertThat(on.node().daemons()).isEqualTo(before);
    }

    @Test
    void aSocketPathThatIsTakenIsRefused() throws IOException {
        String directory = "/run/node/taken-" + id;
        Files.createDirectories(on.node().path(directory + "/ttrpc.sock"));

        CommandResult refused = atolld(directory);

        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.output() + refused.errors())
                .contains(directory + "/ttrpc.sock is in the way");
    }

    private CommandResult atolld(String directory) {
        CommandResult result =
                on.node()
                        .exec(
                                on.node().distribution() + "/bin/atolld",
                                "--run-dir",
                                directory,
                                "--state-dir",
                                directory + "/state");
        System.out.println("refused: " + result.output() + result.errors());
        return result;
    }
}
