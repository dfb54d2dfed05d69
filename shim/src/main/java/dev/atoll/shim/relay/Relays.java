package dev.atoll.shim.relay;

import com.google.protobuf.Message;
import dev.atoll.api.containerd.events.TaskExit;
import dev.atoll.api.containerd.task.CreateTaskRequest;
import dev.atoll.api.containerd.task.CreateTaskResponse;
import dev.atoll.api.containerd.task.DeleteResponse;
import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.CriAnnotations;
import dev.atoll.oci.spec.CriAnnotations.ContainerType;
import dev.atoll.oci.spec.RuntimeSpec;
import dev.atoll.oci.spec.RuntimeSpec.Namespace;
import dev.atoll.oci.spec.RuntimeSpecEditor;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.rpc.CallContext;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.task.BundleSpecs;
import dev.atoll.shim.task.EventSink;
import dev.atoll.shim.task.ExitRecord;
import dev.atoll.shim.task.ExitWaiter;
import dev.atoll.shim.task.MadeWorkload;
import dev.atoll.shim.task.TaskEvent;
import dev.atoll.shim.task.TaskLifecycle;
import dev.atoll.shim.task.TaskTable;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The native containers of the daemon, from `Create` to `Delete`, and what their pods need for
/// them. Thread-safe.
public final class Relays implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Relays.class);

    /// Containers of one group share a shim (containerd,
    /// `cmd/containerd-shim-runc-v2/manager/manager_linux.go`). Without it that would be the pod,
    /// and the shim would end with a container just when another one is about to use it.
    private static final String SHIM_GROUP = "io.containerd.runc.v2.group";

    private final ConcurrentMap<ContainerKey, Relay> relays = new ConcurrentHashMap<>();
    private final ConcurrentMap<ContainerKey, PodNamespaces> pods = new ConcurrentHashMap<>();
    private final TaskTable tasks;
    private final BundleSpecs specs;
    private final EventSink events;
    private final InstantSource clock;
    private final Path bundles;
    private final RuntimeShim runtime;
    private final HostNamespaces host;
    private final Function<RuntimeSpec, PodNamespaces> namespaces;

    /// @param tasks where a container's pod is found
    /// @param bundles directory for the bundles that the other shim gets
    /// @param namespaces makes those of a pod, by the spec of its pause
    Relays(
            TaskTable tasks,
            BundleSpecs specs,
            EventSink events,
            InstantSource clock,
            Path bundles,
            RuntimeShim runtime,
            HostNamespaces host,
            Function<RuntimeSpec, PodNamespaces> namespaces) {
        this.tasks = tasks;
        this.specs = specs;
        this.events = events;
        this.clock = clock;
        this.bundles = bundles;
        this.runtime = runtime;
        this.host = host;
        this.namespaces = namespaces;
    }

    /// Relays to containerd's shim for runc.
    public static Relays of(
            TaskTable tasks,
            BundleSpecs specs,
            EventSink events,
            InstantSource clock,
            NativeSettings settings) {
        return new Relays(
                tasks,
                specs,
                events,
                clock,
                settings.bundles(),
                new RuncShim(
                        settings.runtime(),
                        settings.launcher(),
                        settings.containerd(),
                        settings.containerdTtrpc()),
                new OwnNamespaces(),
                pause -> new HeldPodNamespaces(settings.launcher(), pause));
    }

    /// The relay that a call is for; empty if it is for none.
    Optional<Relay> find(CallContext context, String id) {
        if (relays.isEmpty()) {
            return Optional.empty();
        }
        String namespace = context.knownNamespace();
        if (!namespace.isEmpty()) {
            return Optional.ofNullable(relays.get(new ContainerKey(namespace, id)));
        }
        List<Relay> found =
                relays.values().stream().filter(relay -> relay.key().id().equals(id)).toList();
        return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
    }

    /// Hands a new container to another shim. Blocks.
    ///
    /// @param responder only asked whether anybody still waits
    CreateTaskResponse create(
            CallContext context, CreateTaskRequest request, Responder<?> responder) {
        ContainerKey key = new CallContext(context.knownNamespace()).key(request.getId());
        Path bundle = Path.of(request.getBundle());
        RuntimeSpec spec = specs.read(bundle, key);
        Relay relay =
                new Relay(
                        key,
                        request.getBundle(),
                        spec,
                        NativeBundle.of(bundles, key),
                        runtime,
                        clock,
                        gone -> relays.remove(key, gone),
                        last -> ended(key, last));
        if (relays.putIfAbsent(key, relay) != null) {
            throw relay.exists();
        }
        CreateTaskResponse created;
        try {
            byte[] config =
                    RuntimeSpecEditor.edit(
                            bundle,
                            key.id(),
                            namespaces(key, spec),
                            Map.of(SHIM_GROUP, key.id()),
                            root(request, bundle, spec));
            created = relay.open(request, config);
        } catch (RuntimeException | Error e) {
            relays.remove(key, relay);
            throw e;
        }
        LOGGER.atInfo()
                .addKeyValue(LogKeys.NAMESPACE, key.namespace())
                .addKeyValue(LogKeys.CONTAINER_ID, key.id())
                .addKeyValue(LogKeys.PID, created.getPid())
                .log("native container handed on");
        if (responder.isAbandoned()) {
            // containerd has given it up and will not ask for it again.
            Optional<DeleteResponse> _ = forget(key);
        }
        return created;
    }

    /// A root directory that is not mounted lies in containerd's bundle.
    private static Optional<Path> root(CreateTaskRequest request, Path bundle, RuntimeSpec spec) {
        return request.getRootfsCount() == 0
                ? Optional.of(bundle.resolve(spec.root().path()))
                : Optional.empty();
    }

    private List<Namespace> namespaces(ContainerKey key, RuntimeSpec spec) {
        CriAnnotations cri = CriAnnotations.of(spec);
        List<Namespace> asked = spec.linux().namespaces();
        if (cri.sandboxId().isEmpty()
                && !cri.containerType().equals(Optional.of(ContainerType.CONTAINER))) {
            return NativeNamespaces.outsideOfPods(key.id(), asked, host);
        }
        ContainerKey sandbox = new ContainerKey(key.namespace(), cri.sandboxId().orElse(""));
        TaskLifecycle pause =
                tasks.find(sandbox)
                        .orElseThrow(() -> noPod(key, cri.sandboxId().orElse("without a name")));
        RuntimeSpec pauseSpec =
                pause.state()
                        .workload()
                        .filter(MadeWorkload::pause)
                        .map(MadeWorkload::spec)
                        .orElseThrow(() -> noPod(key, sandbox.id()));
        return new NativeNamespaces(key.id(), pauseSpec, pod(pause, pauseSpec), host).of(asked);
    }

    private static InvalidArgument noPod(ContainerKey key, String sandbox) {
        return new InvalidArgument(
                "pod sandbox %s of container %s is not known here, so neither are its namespaces: the sandbox has ended, or another runtime made it; delete the pod, so that it is made anew"
                        .formatted(sandbox, key.id()));
    }

    private PodNamespaces pod(TaskLifecycle pause, RuntimeSpec spec) {
        ContainerKey sandbox = pause.config().key();
        PodNamespaces present = pods.get(sandbox);
        if (present != null) {
            return present;
        }
        PodNamespaces fresh = namespaces.apply(spec);
        PodNamespaces other = pods.putIfAbsent(sandbox, fresh);
        if (other != null) {
            return other;
        }
        pause.onExit(
                new ExitWaiter() {
                    @Override
                    public void ended(ExitRecord exit) {
                        Thread.ofVirtual()
                                .name("pod end " + sandbox.id())
                                .start(() -> {
                                    pods.remove(sandbox, fresh);
                                    fresh.close();
                                });
                    }

                    @Override
                    public boolean isAbandoned() {
                        return false;
                    }
                });
        return fresh;
    }

    /// The other shim would have told containerd.
    private void ended(ContainerKey key, DeleteResponse last) {
        events.publish(
                key,
                new TaskEvent(
                        "/tasks/exit",
                        TaskExit.newBuilder()
                                .setContainerId(key.id())
                                .setId(key.id())
                                .setPid(last.getPid())
                                .setExitStatus(last.getExitStatus())
                                .setExitedAt(last.getExitedAt())
                                .build()));
    }

    /// Releases a container that containerd has given up. Blocks for some seconds at most.
    ///
    /// @return how it ended; empty if it is not known
    public Optional<DeleteResponse> forget(ContainerKey key) {
        return Optional.ofNullable(relays.get(key)).map(Relay::destroy);
    }

    public int size() {
        return relays.size();
    }

    /// In a fixed order. Blocks.
    public List<RelayedContainer> list() {
        return relays.values().stream()
                .sorted(Comparator.comparing(relay -> relay.key().toString()))
                .flatMap(relay -> relay.describe().stream())
                .toList();
    }

    /// Ends all native containers, since nobody would pass calls on to them any more.
    @Override
    public void close() {
        List<Thread> ends = new ArrayList<>();
        for (Relay relay : relays.values()) {
            ends.add(
                    Thread.ofVirtual()
                            .name("relay end " + relay.key().id())
                            .start(() -> {
                                DeleteResponse _ = relay.destroy();
                            }));
        }
        try {
            for (Thread end : ends) {
                end.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        pods.values().forEach(PodNamespaces::close);
    }

    static String id(Message request) {
        return (String) request.getField(request.getDescriptorForType().findFieldByName("id"));
    }
}
