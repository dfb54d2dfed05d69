package dev.atoll.deploy.node;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.atoll.deploy.install.InstallFailed;
import dev.atoll.deploy.install.InstalledVersion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// Keeps a Node's labels true: it is ready for pods of Atoll if an installation is complete on it
/// and its kubelet knows the runtimes.
///
/// @param installed what is on the host
public record NodeReport(NodeApi node, Installed installed) {
    /// Has the value `ready`, or is not there.
    public static final String READY_LABEL = "atoll.dev/wasmtime";

    /// The version that is installed.
    public static final String VERSION_LABEL = "atoll.dev/version";

    private static final String READY = "ready";

    /// Looks at the host.
    @FunctionalInterface
    public interface Installed {
        /// @return empty if no installation is complete
        Optional<InstalledVersion> find() throws InstallFailed;
    }

    /// Changes the labels if they are not what they should be, and tells it as an event.
    ///
    /// @return what was found, as one line for the log
    public String update() throws ApiFailed, InstallFailed {
        JsonObject object = node.read();
        Optional<InstalledVersion> version = installed.find();
        String obstacle =
                version.isEmpty() ? "no installation is complete" : obstacle(object, version.get());
        Map<String, Optional<String>> wanted = new LinkedHashMap<>();
        wanted.put(READY_LABEL, obstacle.isEmpty() ? Optional.of(READY) : Optional.empty());
        wanted.put(VERSION_LABEL, version.map(InstalledVersion::label));
        String state =
                obstacle.isEmpty()
                        ? "ready for WebAssembly: Atoll %s"
                                .formatted(version.map(InstalledVersion::version).orElse(""))
                        : "not ready for WebAssembly: " + obstacle;
        Map<String, Optional<String>> present = labels(object, wanted);
        if (!wanted.equals(present)) {
            boolean wasReady = Optional.of(READY).equals(present.get(READY_LABEL));
            node.label(wanted);
            if (wasReady != obstacle.isEmpty()) {
                node.tell(
                        !obstacle.isEmpty(),
                        obstacle.isEmpty() ? "AtollReady" : "AtollNotReady",
                        state);
            }
        }
        return state;
    }

    /// Takes the labels away, before the node is changed so that it no longer deserves them.
    public void withdraw() throws ApiFailed {
        node.label(Map.of(READY_LABEL, Optional.empty(), VERSION_LABEL, Optional.empty()));
    }

    /// Kubelets from 1.30 on list the handlers that the runtime told them; older ones list none.
    ///
    /// @return empty if there is none
    private static String obstacle(JsonObject object, InstalledVersion version) {
        JsonElement handlers =
                Optional.ofNullable(object.getAsJsonObject("status"))
                        .map(status -> status.get("runtimeHandlers"))
                        .orElse(null);
        if (!(handlers instanceof JsonArray list) || list.isEmpty()) {
            return "";
        }
        TreeSet<String> missing = new TreeSet<>(version.handlers());
        for (JsonElement handler : list) {
            JsonElement name = handler.getAsJsonObject().get("name");
            if (name != null) {
                missing.remove(name.getAsString());
            }
        }
        return missing.isEmpty()
                ? ""
                : "kubelet does not list the runtime %s: containerd runs with another configuration"
                        .formatted(String.join(", ", missing));
    }

    private static Map<String, Optional<String>> labels(
            JsonObject object, Map<String, Optional<String>> of) {
        JsonObject labels =
                Optional.ofNullable(object.getAsJsonObject("metadata"))
                        .map(metadata -> metadata.getAsJsonObject("labels"))
                        .orElseGet(JsonObject::new);
        Map<String, Optional<String>> found = new LinkedHashMap<>();
        for (String label : List.copyOf(of.keySet())) {
            found.put(label, Optional.ofNullable(labels.get(label)).map(JsonElement::getAsString));
        }
        return found;
    }
}
