package dev.atoll.shim.control;

import dev.atoll.api.containerd.task.StateResponse;
import dev.atoll.api.containerd.types.Status;
import dev.atoll.api.v1.Guest;
import dev.atoll.api.v1.InfoRequest;
import dev.atoll.api.v1.InfoResponse;
import dev.atoll.api.v1.ListGuestsRequest;
import dev.atoll.api.v1.ListGuestsResponse;
import dev.atoll.oci.spec.CriAnnotations;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadUsage;
import dev.atoll.shim.relay.RelayedContainer;
import dev.atoll.shim.relay.Relays;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.task.MadeWorkload;
import dev.atoll.shim.task.TaskLifecycle;
import dev.atoll.shim.task.TaskState;
import dev.atoll.shim.task.TaskTable;
import dev.atoll.shim.task.Timestamps;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// The daemon's own API, for the command line. Thread-safe.
public final class AtollService {
    private final TaskTable tasks;
    private final Relays relays;
    private final DaemonInfo daemon;

    public AtollService(TaskTable tasks, Relays relays, DaemonInfo daemon) {
        this.tasks = tasks;
        this.relays = relays;
        this.daemon = daemon;
    }

    public RpcService endpoint() {
        return new RpcService(
                "atoll.v1.Atoll",
                List.of(
                        RpcMethod.blocking(
                                "ListGuests",
                                ListGuestsRequest.getDefaultInstance(),
                                ListGuestsResponse.getDefaultInstance(),
                                (_, request) -> list(request)),
                        RpcMethod.blocking(
                                "Info",
                                InfoRequest.getDefaultInstance(),
                                InfoResponse.getDefaultInstance(),
                                (_, _) -> info())));
    }

    private ListGuestsResponse list(ListGuestsRequest request) {
        ListGuestsResponse.Builder response = ListGuestsResponse.newBuilder();
        tasks.all().stream()
                .sorted(Comparator.comparing(task -> task.config().key().toString()))
                .forEach(task -> {
                    TaskState state = task.state();
                    boolean pause = state.workload().filter(MadeWorkload::pause).isPresent();
                    if (!pause || request.getIncludePauses()) {
                        response.addGuests(guest(task, state));
                    }
                });
        relays.list().forEach(container -> response.addGuests(guest(container)));
        return response.build();
    }

    private static Guest guest(TaskLifecycle task, TaskState state) {
        Guest.Builder guest =
                Guest.newBuilder()
                        .setNamespace(task.config().key().namespace())
                        .setId(task.config().key().id())
                        .setState(state.word());
        state.workload().ifPresent(made -> describe(guest, made));
        state.began().ifPresent(at -> guest.setStartedAt(Timestamps.of(at)));
        state.ended()
                .ifPresent(exit ->
                        guest.setExitStatus(exit.status()).setExitedAt(Timestamps.of(exit.at())));
        return guest.build();
    }

    private static Guest guest(RelayedContainer container) {
        StateResponse state = container.state();
        Guest.Builder guest =
                Guest.newBuilder()
                        .setNamespace(container.key().namespace())
                        .setId(container.key().id())
                        .setState(state.getStatus().name().toLowerCase(Locale.ROOT))
                        .setKind("native")
                        .setProgram(
                                container
                                        .spec()
                                        .process()
                                        .flatMap(process -> process.args().stream().findFirst())
                                        .orElse(""))
                        .setCreatedAt(Timestamps.of(container.createdAt()));
        if (state.getStatus() == Status.STOPPED) {
            guest.setExitStatus(state.getExitStatus()).setExitedAt(state.getExitedAt());
        }
        return identify(guest, container.spec()).build();
    }

    private static Guest.Builder identify(Guest.Builder guest, RuntimeSpec spec) {
        CriAnnotations cri = CriAnnotations.of(spec);
        return guest.setSandboxId(cri.sandboxId().orElse(""))
                .setPodNamespace(cri.sandboxNamespace().orElse(""))
                .setPodName(cri.sandboxName().orElse(""))
                .setContainerName(cri.containerName().orElse(""))
                .setImage(cri.imageName().orElse(""));
    }

    private static void describe(Guest.Builder guest, MadeWorkload made) {
        WorkloadDescription description = made.workload().description();
        WorkloadUsage usage = made.workload().usage();
        identify(guest, made.spec())
                .setKind(description.kind())
                .setRole(description.role())
                .setProgram(description.program())
                .setCodeCacheHit(description.codeCacheHit())
                .setMemoryBytes(usage.memoryBytes())
                .setPeakMemoryBytes(usage.peakMemoryBytes())
                .setCpuNanos(usage.cpuNanos())
                .setMemoryLimit(usage.memoryLimit())
                .setCpuPeriods(usage.throttling().periods())
                .setCpuThrottledPeriods(usage.throttling().throttledPeriods())
                .setCpuThrottledNanos(usage.throttling().throttledNanos())
                .setRequests(usage.server().requests())
                .setRequestsTrapped(usage.server().trapped())
                .setRequestsRefused(usage.server().refused())
                .setRequestsInProgress(usage.server().inProgress())
                .setConnections(usage.server().connections())
                .setInstances(usage.server().instances())
                .setOpenSockets(usage.network().openSockets())
                .setPolicyRefusals(usage.network().policyRefusals())
                .setCreatedAt(Timestamps.of(made.createdAt()));
    }

    private InfoResponse info() {
        return InfoResponse.newBuilder()
                .setVersion(daemon.version())
                .setPid(daemon.pid())
                .setStartedAt(Timestamps.of(daemon.startedAt()))
                .setTasks(tasks.all().size() + relays.size())
                .setEngine(daemon.engine().get())
                .build();
    }
}
