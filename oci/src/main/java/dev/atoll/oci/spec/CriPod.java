package dev.atoll.oci.spec;

import java.util.Map;
import java.util.Optional;

/// What containerd's CRI plugin wrote down about a pod when it was made. Unlike a runtime spec's
/// annotations, which are only those that containerd's `pod_annotations` lets through, these are
/// the pod's own.
///
/// @param runtimeHandler the RuntimeClass' handler; empty where the pod names none
/// @param annotations those of the pod in Kubernetes
public record CriPod(Optional<String> runtimeHandler, Map<String, String> annotations) {
    /// Of a pod that CRI did not make.
    public static final CriPod NONE = new CriPod(Optional.empty(), Map.of());

    public CriPod {
        annotations = Map.copyOf(annotations);
    }
}
