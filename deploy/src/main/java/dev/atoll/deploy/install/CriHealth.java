package dev.atoll.deploy.install;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.cri.v1.RuntimeCondition;
import dev.atoll.cri.v1.StatusRequest;
import dev.atoll.cri.v1.StatusResponse;
import dev.atoll.deploy.cri.CriClient;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Collection;
import java.util.Set;

/// Asks a running containerd, as kubelet does, whether it is well and which runtimes it has.
record CriHealth(Host host, String socket) {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofMillis(200);

    /// The runtimes that containerd has loaded.
    ///
    /// @throws InstallFailed if it does not answer, or is not ready for pods, within a minute
    Set<String> runtimes() throws InstallFailed {
        Deadline deadline = Deadline.in(DEADLINE, PAUSE, "waiting for containerd");
        String last;
        try (CriClient client = CriClient.connect(host.path(host.resolved(socket)))) {
            do {
                try {
                    StatusResponse response =
                            client.runtime()
                                    .status(StatusRequest.newBuilder().setVerbose(true).build());
                    if (isReady(response)) {
                        return runtimes(response);
                    }
                    last = "it is not ready: " + conditions(response);
                } catch (StatusRuntimeException e) {
                    last = String.valueOf(e.getStatus().getDescription());
                }
                deadline.await();
            } while (!deadline.isOver());
        }
        throw new InstallFailed(
                "containerd's CRI at %s does not serve pods: %s".formatted(socket, last));
    }

    boolean has(Collection<String> handlers) throws InstallFailed {
        return runtimes().containsAll(handlers);
    }

    /// The network's condition is left out: a node may well get its CNI later.
    private static boolean isReady(StatusResponse response) {
        return response.getStatus().getConditionsList().stream()
                .filter(condition -> condition.getType().equals("RuntimeReady"))
                .anyMatch(RuntimeCondition::getStatus);
    }

    private static String conditions(StatusResponse response) {
        StringBuilder text = new StringBuilder();
        for (RuntimeCondition condition : response.getStatus().getConditionsList()) {
            text.append(condition.getType())
                    .append(
                            condition.getStatus()
                                    ? " yes "
                                    : " no " + condition.getMessage() + " ");
        }
        return text.toString().strip();
    }

    /// containerd's own configuration of CRI, in JSON, is part of a verbose status in all versions.
    private static Set<String> runtimes(StatusResponse response) {
        JsonObject config =
                JsonParser.parseString(response.getInfoOrDefault("config", "{}")).getAsJsonObject();
        JsonObject containerd = config.getAsJsonObject("containerd");
        JsonObject runtimes = containerd == null ? null : containerd.getAsJsonObject("runtimes");
        return runtimes == null ? Set.of() : Set.copyOf(runtimes.keySet());
    }
}
