package dev.atoll.oci.spec;

import java.util.Map;
import java.util.Optional;

/// The annotations with which containerd's CRI plugin says which container of which pod a runtime
/// spec is for (containerd, `internal/cri/annotations`). All are absent from a container that was
/// made by another client, such as `ctr`. Immutable.
///
/// They are facts for joining and messages, not for security: any client of containerd can write
/// them.
public record CriAnnotations(Map<String, String> annotations) {
    public static final String CONTAINER_TYPE = "io.kubernetes.cri.container-type";
    public static final String CONTAINER_NAME = "io.kubernetes.cri.container-name";
    public static final String IMAGE_NAME = "io.kubernetes.cri.image-name";
    public static final String SANDBOX_ID = "io.kubernetes.cri.sandbox-id";
    public static final String SANDBOX_NAME = "io.kubernetes.cri.sandbox-name";
    public static final String SANDBOX_NAMESPACE = "io.kubernetes.cri.sandbox-namespace";
    public static final String SANDBOX_UID = "io.kubernetes.cri.sandbox-uid";

    /// What a container is in its pod.
    public enum ContainerType {
        /// The pause container, which stands for the pod.
        SANDBOX,
        /// A container of the pod's spec.
        CONTAINER
    }

    public CriAnnotations {
        annotations = Map.copyOf(annotations);
    }

    public static CriAnnotations of(RuntimeSpec spec) {
        return new CriAnnotations(spec.annotations());
    }

    /// @return empty if the annotation is missing or has a value that CRI does not know
    public Optional<ContainerType> containerType() {
        return switch (annotations.getOrDefault(CONTAINER_TYPE, "")) {
            case "sandbox" -> Optional.of(ContainerType.SANDBOX);
            case "container" -> Optional.of(ContainerType.CONTAINER);
            default -> Optional.empty();
        };
    }

    public boolean isSandbox() {
        return containerType().equals(Optional.of(ContainerType.SANDBOX));
    }

    public Optional<String> containerName() {
        return text(CONTAINER_NAME);
    }

    /// As the pod's spec has it: it need not be the full name under which containerd keeps the
    /// image.
    public Optional<String> imageName() {
        return text(IMAGE_NAME);
    }

    public Optional<String> sandboxId() {
        return text(SANDBOX_ID);
    }

    /// The pod's name.
    public Optional<String> sandboxName() {
        return text(SANDBOX_NAME);
    }

    /// The pod's Kubernetes namespace.
    public Optional<String> sandboxNamespace() {
        return text(SANDBOX_NAMESPACE);
    }

    /// The pod's uid.
    public Optional<String> sandboxUid() {
        return text(SANDBOX_UID);
    }

    private Optional<String> text(String key) {
        return Optional.ofNullable(annotations.get(key)).filter(value -> !value.isEmpty());
    }
}
