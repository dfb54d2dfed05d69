package dev.atoll.shim.task;

import dev.atoll.oci.ContainerKey;

/// Takes the events of tasks. Thread-safe; never blocks.
@FunctionalInterface
public interface EventSink {
    void publish(ContainerKey container, TaskEvent event);
}
