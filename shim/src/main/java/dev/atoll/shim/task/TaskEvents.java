package dev.atoll.shim.task;

import dev.atoll.api.containerd.events.TaskCreate;
import dev.atoll.api.containerd.events.TaskDelete;
import dev.atoll.api.containerd.events.TaskExit;
import dev.atoll.api.containerd.events.TaskIO;
import dev.atoll.api.containerd.events.TaskOOM;
import dev.atoll.api.containerd.events.TaskStart;
import dev.atoll.api.containerd.types.Mount;
import dev.atoll.sandbox.RootfsMount;

/// Writes the events of one task. Immutable.
///
/// @param pid what every task of the daemon has
record TaskEvents(TaskConfig config, int pid) {

    TaskEvent created() {
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
        return new TaskEvent(
                "/tasks/start", TaskStart.newBuilder().setContainerId(id()).setPid(pid).build());
    }

    TaskEvent outOfMemory() {
        return new TaskEvent("/tasks/oom", TaskOOM.newBuilder().setContainerId(id()).build());
    }

    TaskEvent ended(ExitRecord exit) {
        return new TaskEvent(
                "/tasks/exit",
                TaskExit.newBuilder()
                        .setContainerId(id())
                        .setId(id())
                        .setPid(pid)
                        .setExitStatus(exit.status())
                        .setExitedAt(Timestamps.of(exit.at()))
                        .build());
    }

    TaskEvent deleted(ExitRecord exit) {
        return new TaskEvent(
                "/tasks/delete",
                TaskDelete.newBuilder()
                        .setContainerId(id())
                        .setPid(pid)
                        .setExitStatus(exit.status())
                        .setExitedAt(Timestamps.of(exit.at()))
                        .build());
    }

    private String id() {
        return config.key().id();
    }
}
