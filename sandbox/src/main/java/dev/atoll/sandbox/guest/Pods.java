package dev.atoll.sandbox.guest;

import dev.atoll.oci.ContainerKey;
import dev.atoll.sandbox.InvalidWorkload;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// The pods of this node, by the container of their pause. Thread-safe.
public final class Pods {
    private final ConcurrentMap<ContainerKey, Pod> pods = new ConcurrentHashMap<>();

    public Optional<Pod> find(ContainerKey sandbox) {
        return Optional.ofNullable(pods.get(sandbox));
    }

    public int size() {
        return pods.size();
    }

    /// @throws InvalidWorkload if there is one of this name
    void add(Pod pod) {
        if (pods.putIfAbsent(pod.sandbox(), pod) != null) {
            throw new InvalidWorkload(
                    "pod sandbox %s exists already: remove it first".formatted(pod.sandbox()));
        }
    }

    void remove(Pod pod) {
        pods.remove(pod.sandbox(), pod);
    }
}
