package dev.atoll.shim.task;

import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.status.AlreadyExists;
import dev.atoll.shim.status.NotFound;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// The tasks of the daemon, from `Create` to `Delete`. Thread-safe.
public final class TaskTable {
    private final ConcurrentMap<ContainerKey, TaskLifecycle> tasks = new ConcurrentHashMap<>();

    /// @throws AlreadyExists if the id is in use
    void add(TaskLifecycle task) {
        ContainerKey key = task.config().key();
        if (tasks.putIfAbsent(key, task) != null) {
            throw new AlreadyExists(
                    "container %s has a task already: delete it first".formatted(key.id()));
        }
    }

    /// @throws NotFound if there is no such task
    TaskLifecycle get(ContainerKey key) {
        return find(key)
                .orElseThrow(() ->
                        new NotFound(
                                "container %s has no task in namespace %s"
                                        .formatted(key.id(), key.namespace())));
    }

    public Optional<TaskLifecycle> find(ContainerKey key) {
        return Optional.ofNullable(tasks.get(key));
    }

    /// The key of the only task with this id, whatever its namespace; empty if there is none, or
    /// more than one.
    Optional<ContainerKey> onlyOneWith(String id) {
        List<ContainerKey> found =
                tasks.keySet().stream().filter(key -> key.id().equals(id)).limit(2).toList();
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    /// Removes `task`, but not one that took its id since.
    void remove(TaskLifecycle task) {
        tasks.remove(task.config().key(), task);
    }

    /// A snapshot.
    public Collection<TaskLifecycle> all() {
        return List.copyOf(tasks.values());
    }
}
