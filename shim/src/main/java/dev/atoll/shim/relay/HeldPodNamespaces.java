package dev.atoll.shim.relay;

import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.shim.status.Unavailable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Namespaces of a pod made by the launcher. A pod costs two descriptors; one whose containers
/// share processes also two tiny ones.
final class HeldPodNamespaces implements PodNamespaces {
    private static final String IPC = "ipc";
    private static final String UTS = "uts";
    private static final String PID = "pid_for_children";

    private final Path launcher;
    private final RuntimeSpec pause;
    private final Once<NamespaceHolder> kernel = new Once<>(this::makeKernel);
    private final Once<NamespaceHolder> processes = new Once<>(this::makeProcesses);
    private volatile boolean closed;

    /// @param pause the spec of the pod's pause
    HeldPodNamespaces(Path launcher, RuntimeSpec pause) {
        this.launcher = launcher;
        this.pause = pause;
    }

    private NamespaceHolder makeKernel() {
        requireOpen();
        List<String> files = new ArrayList<>();
        if (pause.linux().namespace(IPC).isPresent()) {
            files.add(IPC);
        }
        if (pause.linux().namespace(UTS).isPresent()) {
            files.add(UTS);
        }
        return NamespaceHolder.start(launcher, PodKernel.arguments(pause), files).releaseProcess();
    }

    private NamespaceHolder makeProcesses() {
        requireOpen();
        return NamespaceHolder.start(launcher, List.of("--pid"), List.of(PID));
    }

    private void requireOpen() {
        if (closed) {
            throw new Unavailable("the pod has ended: no container can be added to it");
        }
    }

    @Override
    public Path ipc() {
        return kernel.get().namespace(IPC);
    }

    @Override
    public Path uts() {
        return kernel.get().namespace(UTS);
    }

    @Override
    public Path pid() {
        NamespaceHolder holder = processes.get();
        if (!holder.isAlive()) {
            throw new Unavailable(
                    "the process that holds the pod's shared process namespace was ended, and all in it: delete the pod, so that it is made anew");
        }
        return holder.namespace(PID);
    }

    @Override
    public void close() {
        closed = true;
        kernel.take(NamespaceHolder::close);
        processes.take(NamespaceHolder::close);
    }
}
