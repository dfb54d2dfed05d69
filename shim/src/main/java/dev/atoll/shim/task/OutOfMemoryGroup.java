package dev.atoll.shim.task;

/// Ends a container when its memory limit ends what is executed in it, as the kernel does where
/// memory.oom.group asks for it (cgroups(7)); kubelet does on nodes with cgroup v2.
record OutOfMemoryGroup(TaskLifecycle container) implements ExitWaiter {
    @Override
    public void ended(ExitRecord exit) {
        if (exit.outOfMemory()) {
            container.killOutOfMemory();
        }
    }

    @Override
    public boolean isAbandoned() {
        return false;
    }
}
