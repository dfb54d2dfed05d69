package dev.atoll.shim.task;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.function.Consumer;

/// Runs something before the workload starts, and before it closes.
record HookedWorkload(Workload workload, Runnable beforeStart, Runnable beforeClose)
        implements Workload {
    @Override
    public void start(Consumer<WorkloadEnd> onEnd) {
        beforeStart.run();
        workload.start(onEnd);
    }

    @Override
    public void signal(int signal) {
        workload.signal(signal);
    }

    @Override
    public void update(Resources resources) {
        workload.update(resources);
    }

    @Override
    public void closeStdin() {
        workload.closeStdin();
    }

    @Override
    public void resize(TerminalSize size) {
        workload.resize(size);
    }

    @Override
    public Workload exec(ExecRequest request) {
        return workload.exec(request);
    }

    @Override
    public WorkloadUsage usage() {
        return workload.usage();
    }

    @Override
    public WorkloadDescription description() {
        return workload.description();
    }

    @Override
    public void close() {
        beforeClose.run();
        workload.close();
    }
}
