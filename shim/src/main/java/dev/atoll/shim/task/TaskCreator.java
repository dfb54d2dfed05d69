package dev.atoll.shim.task;

import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.program.ProgramFinder;
import dev.atoll.oci.spec.CriAnnotations;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.sandbox.GuestRequest;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadFactory;
import java.nio.file.Path;
import java.time.InstantSource;

/// Makes the workload of a task: a pod's pause, or a guest. Blocks. Thread-safe.
public final class TaskCreator {
    private final BundleSpecs specs;
    private final PodRecords pods;
    private final ProgramFinder programs;
    private final WorkloadFactory workloads;
    private final InstantSource clock;

    public TaskCreator(
            BundleSpecs specs,
            PodRecords pods,
            ProgramFinder programs,
            WorkloadFactory workloads,
            InstantSource clock) {
        this.specs = specs;
        this.pods = pods;
        this.programs = programs;
        this.workloads = workloads;
        this.clock = clock;
    }

    MadeWorkload make(TaskConfig config) {
        Path bundle = Path.of(config.bundle());
        RuntimeSpec spec = specs.read(bundle, config.key());
        boolean pause = CriAnnotations.of(spec).isSandbox();
        Workload workload =
                pause
                        ? workloads.pause(config.key(), spec, pods.find(config.key()))
                        : guest(config, bundle, spec);
        return new MadeWorkload(workload, spec, pause, clock.instant());
    }

    private Workload guest(TaskConfig config, Path bundle, RuntimeSpec spec) {
        String firstArgument =
                spec.process()
                        .flatMap(process -> process.args().stream().findFirst())
                        .orElseThrow(() ->
                                new InvalidSpec(
                                        "container %s: config.json names no program: expected process.args"
                                                .formatted(config.key().id())));
        return workloads.guest(
                new GuestRequest(
                        config.key(),
                        bundle,
                        config.rootfs(),
                        spec,
                        config.stdio(),
                        programs.find(config.key(), firstArgument)));
    }
}
