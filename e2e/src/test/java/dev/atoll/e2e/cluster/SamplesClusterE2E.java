package dev.atoll.e2e.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.atoll.e2e.node.Checkout;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.node.v1.RuntimeClass;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What users copy from `runtimeclass-manifests` works as it stands, but for the images' names.
@OnCluster
class SamplesClusterE2E {
    private final TestCluster cluster;
    private final TestNamespace in;

    SamplesClusterE2E(TestCluster cluster, TestNamespace in) {
        this.cluster = cluster;
        this.in = in;
    }

    static List<String> samples() throws IOException {
        try (Stream<Path> files = Files.list(Checkout.root().resolve("runtimeclass-manifests"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void aSampleIsAcceptedAndItsPodsRun(String sample) throws IOException {
        String text =
                Files.readString(Checkout.root().resolve("runtimeclass-manifests").resolve(sample))
                        .replace("registry.example/hello:1", cluster.image("hello.p1.wasm"))
                        .replace("registry.example/web:1", cluster.image("server.p2.wasm"));
        var stream = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));

        for (HasMetadata object : in.client().load(stream).items()) {
            if (object instanceof RuntimeClass) {
                // The chart has made one of this name.
                object.getMetadata().setName(in.name());
            }
            HasMetadata made =
                    in.client().resource(object).fieldValidation(Validation.STRICT).create();
            try {
                awaitGood(made);
            } finally {
                if (made instanceof RuntimeClass) {
                    in.client().resource(made).delete();
                }
            }
        }
    }

    private void awaitGood(HasMetadata made) {
        switch (made) {
            case Pod pod ->
                    in.await(
                            pod,
                            "end or readiness",
                            found ->
                                    found.getStatus().getPhase().equals("Succeeded")
                                            || TestNamespace.isReady(found));
            case Job job ->
                    in.await(
                            job,
                            "success",
                            found -> Integer.valueOf(1).equals(found.getStatus().getSucceeded()));
            case Deployment deployment ->
                    in.await(
                            deployment,
                            "ready replica",
                            found ->
                                    Integer.valueOf(1)
                                            .equals(found.getStatus().getReadyReplicas()));
            default -> assertThat(in.client().resource(made).get()).isNotNull();
        }
    }
}
