package dev.atoll.shim.testing;

import dev.atoll.oci.ContainerKey;
import dev.atoll.shim.task.EventSink;
import dev.atoll.shim.task.TaskEvent;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// Remembers events in their order.
public final class RecordingEvents implements EventSink {
    private final List<TaskEvent> events = new CopyOnWriteArrayList<>();

    @Override
    public void publish(ContainerKey container, TaskEvent event) {
        events.add(event);
    }

    public List<String> topics() {
        return events.stream().map(TaskEvent::topic).toList();
    }

    public List<TaskEvent> all() {
        return List.copyOf(events);
    }
}
