package dev.atoll.shim.testing;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriPod;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.sandbox.GuestRequest;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadFactory;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/// Makes fake workloads and remembers them by container.
public final class FakeWorkloadFactory implements WorkloadFactory {
    private final Map<ContainerKey, FakeWorkload> made = new ConcurrentHashMap<>();
    private final Map<ContainerKey, CriPod> pods = new ConcurrentHashMap<>();
    private volatile FakeWorkload.Start start = FakeWorkload.Start.RUNS;
    private volatile Runnable beforeGuest = () -> {};

    /// What guests made from now on do when they are started.
    public void setStart(FakeWorkload.Start start) {
        this.start = start;
    }

    /// Runs before each guest is made; may block or throw.
    public void setBeforeGuest(Runnable hook) {
        beforeGuest = hook;
    }

    public FakeWorkload of(ContainerKey key) {
        return Objects.requireNonNull(made.get(key), () -> "no workload of " + key);
    }

    /// What a pause was made with.
    public CriPod podOf(ContainerKey pause) {
        return Objects.requireNonNull(pods.get(pause), () -> "no pause " + pause);
    }

    @Override
    public Workload guest(GuestRequest request) {
        beforeGuest.run();
        return remember(request.container(), new FakeWorkload(start, false));
    }

    @Override
    public Workload pause(ContainerKey container, RuntimeSpec spec, CriPod pod) {
        pods.put(container, pod);
        return remember(container, new FakeWorkload(FakeWorkload.Start.RUNS, true));
    }

    private FakeWorkload remember(ContainerKey key, FakeWorkload workload) {
        made.put(key, workload);
        return workload;
    }

    @Override
    public void close() {}
}
