package dev.atoll.shim.task;

import dev.atoll.api.containerd.events.TaskCreate;
import dev.atoll.api.containerd.events.TaskDelete;
import dev.atoll.api.containerd.events.TaskExecAdded;
import dev.atoll.api.containerd.events.TaskExecStarted;
import dev.atoll.api.containerd.events.TaskExit;
import dev.atoll.api.containerd.events.TaskIO;
import dev.atoll.api.containerd.events.TaskOOM;
import dev.atoll.api.containerd.events.TaskStart;
import dev.atoll.api.containerd.types.Mount;
import dev.atoll.sandbox.RootfsMount;
import java.util.Optional;

/// Writes the events of one process: the container's own, or one that is executed in it. Immutable.
///
/// @param pid what every task of the daemon has
record TaskEvents(TaskConfig config, int pid) {

    TaskEvent created() {
        if (config.isExec()) {
            return new TaskEvent(
                    "/tasks/exec-added",
                    TaskExecAdded.newBuilder()
                            .setContainerId(id())
                            .setExecId(config.execId())
                            .build());
        }
        TaskCreate.Builder event =
                TaskCreate.newBuilder()
                        .setContainerId(id())
                        .setBundle(config.bundle())
                        .setIo(
                                TaskIO.newBuilder()
                                        .setStdin(config.stdio().stdin())
                                        .setStdout(config.stdio().stdout())
                                        .setStderr(config.stdio().stderr())
                                        .setTerminal(config.terminal()))
                        .setCheckpoint(config.checkpoint())
                        .setPid(pid);
        for (RootfsMount mount : config.rootfs()) {
            event.addRootfs(
                    Mount.newBuilder()
                            .setType(mount.type())
                            .setSource(mount.source())
                            .setTarget(mount.target())
                            .addAllOptions(mount.options()));
        }
        return new TaskEvent("/tasks/create", event.build());
    }

    TaskEvent started() {
        if (config.isExec()) {
            return new TaskEvent(
                    "/tasks/exec-started",
                    TaskExecStarted.newBuilder()
                            .setContainerId(id())
                            .setExecId(config.execId())
                            .setPid(pid)
                            .build());
        }
        return new TaskEvent(
                "/tasks/start", TaskStart.newBuilder().setContainerId(id()).setPid(pid).build());
    }

    /// Empty for an exec: CRI would take the container for ended.
    Optional<TaskEvent> outOfMemory() {
        return config.isExec()
                ? Optional.empty()
                : Optional.of(
                        new TaskEvent(
                                "/tasks/oom", TaskOOM.newBuilder().setContainerId(id()).build()));
    }

    TaskEvent ended(ExitRecord exit) {
        return new TaskEvent(
                "/tasks/exit",
                TaskExit.newBuilder()
                        .setContainerId(id())
                        .setId(config.isExec() ? config.execId() : id())
                        .setPid(pid)
                        .setExitStatus(exit.status())
                        .setExitedAt(Timestamps.of(exit.at()))
                        .build());
    }

    /// Empty for an exec: containerd's clients know of none.
    Optional<TaskEvent> deleted(ExitRecord exit) {
        if (config.isExec()) {
            return Optional.empty();
        }
        return Optional.of(
                new TaskEvent(
                        "/tasks/delete",
                        TaskDelete.newBuilder()
                                .setContainerId(id())
                                .setPid(pid)
                                .setExitStatus(exit.status())
                                .setExitedAt(Timestamps.of(exit.at()))
                                .build()));
    }

    private String id() {
        return config.key().id();
    }
}
