package dev.atoll.e2e.cluster;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientTimeoutException;
import io.fabric8.kubernetes.client.NamespacedKubernetesClient;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/// A namespace of the cluster with what tests do in it most.
final class TestNamespace implements AutoCloseable {
    /// The name of the container of a pod that has one.
    static final String APP = "app";

    private static final int SECONDS = 90;
    private static final int PORT = 8080;

    private final TestCluster cluster;
    private final String name;
    private final NamespacedKubernetesClient client;

    private TestNamespace(TestCluster cluster, String name) {
        this.cluster = cluster;
        this.name = name;
        this.client = cluster.client().adapt(NamespacedKubernetesClient.class).inNamespace(name);
    }

    static TestNamespace create(TestCluster cluster) {
        String name = "test-" + UUID.randomUUID().toString().substring(0, 8);
        cluster.client()
                .resource(
                        new NamespaceBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .endMetadata()
                                .build())
                .create();
        var namespace = new TestNamespace(cluster, name);
        // Until a controller has made it, no pod is admitted.
        namespace
                .client
                .serviceAccounts()
                .withName("default")
                .waitUntilCondition(account -> account != null, SECONDS, TimeUnit.SECONDS);
        return namespace;
    }

    /// Returns the client of this namespace.
    KubernetesClient client() {
        return client;
    }

    String name() {
        return name;
    }

    /// Returns a container of the guest of many commands.
    ContainerBuilder guest(String... words) {
        return containerOf("guest.p1.wasm", words);
    }

    /// Returns a container of the HTTP server, which is ready when it answers.
    ContainerBuilder server() {
        return containerOf("server.p2.wasm")
                .addNewPort()
                .withContainerPort(PORT)
                .endPort()
                .withNewReadinessProbe()
                .withNewHttpGet()
                .withPath("/")
                .withNewPort(PORT)
                .endHttpGet()
                .withPeriodSeconds(1)
                .endReadinessProbe();
    }

    /// Returns a container of the guest with the given file name.
    ContainerBuilder containerOf(String file, String... words) {
        return new ContainerBuilder().withName(APP).withImage(cluster.image(file)).withArgs(words);
    }

    /// Returns a pod that is never restarted.
    PodSpecBuilder pod(Container... containers) {
        return new PodSpecBuilder()
                .withRuntimeClassName(cluster.handler())
                .withRestartPolicy("Never")
                .withTerminationGracePeriodSeconds(30L)
                .withContainers(containers);
    }

    /// Creates a pod.
    PodResource create(String pod, PodSpec spec) {
        client.pods()
                .resource(
                        new PodBuilder()
                                .withNewMetadata()
                                .withName(pod)
                                .addToLabels("app", pod)
                                .endMetadata()
                                .withSpec(spec)
                                .build())
                .create();
        return client.pods().withName(pod);
    }

    /// Creates a Deployment of HTTP servers and a Service before it, both with the given name, and
    /// waits until all are ready.
    Deployment deploy(String name, int replicas, Container server) {
        PodSpec spec = pod(server).withRestartPolicy("Always").build();
        Deployment made =
                create(
                        new DeploymentBuilder()
                                .withNewMetadata()
                                .withName(name)
                                .endMetadata()
                                .withNewSpec()
                                .withReplicas(replicas)
                                .withNewSelector()
                                .addToMatchLabels("app", name)
                                .endSelector()
                                .withNewTemplate()
                                .withNewMetadata()
                                .addToLabels("app", name)
                                .endMetadata()
                                .withSpec(spec)
                                .endTemplate()
                                .endSpec()
                                .build());
        service(name);
        return await(
                made,
                "%d ready replicas".formatted(replicas),
                found -> Integer.valueOf(replicas).equals(found.getStatus().getReadyReplicas()));
    }

    /// Creates a Service before the pods that are labelled with its name.
    Service service(String name) {
        return create(
                new ServiceBuilder()
                        .withNewMetadata()
                        .withName(name)
                        .endMetadata()
                        .withNewSpec()
                        .addToSelector(Map.of("app", name))
                        .addNewPort()
                        .withPort(80)
                        .withNewTargetPort(PORT)
                        .endPort()
                        .endSpec()
                        .build());
    }

    /// Creates anything.
    <T extends HasMetadata> T create(T resource) {
        return client.resource(resource).create();
    }

    /// Waits until a resource is as it should be, and returns it.
    <T extends HasMetadata> T await(T resource, String what, Predicate<T> condition) {
        try {
            return client.resource(resource)
                    .waitUntilCondition(
                            found -> found != null && condition.test(found),
                            SECONDS,
                            TimeUnit.SECONDS);
        } catch (KubernetesClientTimeoutException e) {
            throw new AssertionError(
                    "%s %s: no %s within %d s"
                            .formatted(
                                    resource.getKind(),
                                    resource.getMetadata().getName(),
                                    what,
                                    SECONDS),
                    e);
        }
    }

    /// Waits until a pod is as it should be, and returns it.
    Pod await(PodResource pod, String what, Predicate<Pod> condition) {
        return await(pod.get(), what, condition);
    }

    /// Waits until all containers of a pod have ended, and returns the pod.
    Pod awaitEnd(PodResource pod) {
        return await(
                pod,
                "end",
                found -> List.of("Succeeded", "Failed").contains(found.getStatus().getPhase()));
    }

    /// Waits until a pod is ready, and returns it.
    Pod awaitReady(PodResource pod) {
        return await(pod, "readiness", TestNamespace::isReady);
    }

    /// Waits until a pod that was deleted is no more.
    void awaitGone(PodResource pod) {
        pod.waitUntilCondition(Objects::isNull, SECONDS, TimeUnit.SECONDS);
    }

    /// Returns the pods with the label `app` of the given value.
    List<Pod> podsOf(String app) {
        return client.pods().withLabel("app", app).list().getItems();
    }

    /// Waits until the pods with the label `app` of the given value are as they should be.
    void awaitPods(String app, String what, Predicate<List<Pod>> condition) {
        Awaitility.await(what)
                .atMost(Duration.ofSeconds(SECONDS))
                .until(() -> podsOf(app), condition);
    }

    /// Waits until a container of a pod was restarted, and returns the pod.
    Pod awaitRestart(PodResource pod) {
        return await(
                pod,
                "restart",
                found ->
                        found.getStatus().getContainerStatuses().stream()
                                .anyMatch(status -> status.getRestartCount() > 0));
    }

    /// Waits until an event about an object has such words in its message.
    void awaitEvent(String object, String words) {
        Awaitility.await("an event about %s with the words: %s".formatted(object, words))
                .atMost(Duration.ofSeconds(SECONDS))
                .until(() -> events(object).stream().anyMatch(text -> text.contains(words)));
    }

    static boolean isReady(Pod pod) {
        return pod.getStatus().getConditions().stream()
                .anyMatch(condition ->
                        condition.getType().equals("Ready")
                                && condition.getStatus().equals("True"));
    }

    /// Returns a container's status, also an init or an ephemeral one's.
    static ContainerStatus status(Pod pod, String container) {
        return statuses(pod)
                .filter(found -> found.getName().equals(container))
                .findFirst()
                .orElseThrow(() ->
                        new AssertionError(
                                "no status of container %s yet: %s"
                                        .formatted(container, pod.getStatus())));
    }

    private static Stream<ContainerStatus> statuses(Pod pod) {
        return Stream.of(
                        pod.getStatus().getContainerStatuses(),
                        pod.getStatus().getInitContainerStatuses(),
                        pod.getStatus().getEphemeralContainerStatuses())
                .flatMap(List::stream);
    }

    /// Asks a pod's server through the API server, and returns its answer's body.
    String ask(String pod, String target) {
        return client.raw(
                "/api/v1/namespaces/%s/pods/%s:%d/proxy%s".formatted(name, pod, PORT, target));
    }

    /// Returns the messages of the events about an object, newest last.
    List<String> events(String object) {
        return client.v1().events().list().getItems().stream()
                .filter(event -> event.getInvolvedObject().getName().equals(object))
                .map(Event::getMessage)
                .toList();
    }

    /// Tells how the pods are and what was said about all objects.
    String story() {
        String pods =
                client.pods().list().getItems().stream()
                        .map(pod ->
                                pod.getMetadata().getName()
                                        + "\n"
                                        + Serialization.asYaml(pod.getStatus()))
                        .collect(Collectors.joining("\n"));
        String events =
                client.v1().events().list().getItems().stream()
                        .map(event ->
                                "%s %s %s: %s"
                                        .formatted(
                                                event.getLastTimestamp(),
                                                event.getInvolvedObject().getName(),
                                                event.getReason(),
                                                event.getMessage()))
                        .collect(Collectors.joining("\n"));
        return pods + "\n" + events;
    }

    @Override
    public void close() {
        cluster.client().namespaces().withName(name).delete();
    }
}
