package dev.atoll.oci.spec;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.json.JsonDocument;
import dev.atoll.oci.json.JsonNode;
import java.util.Map;

/// Reads the metadata that CRI keeps with a pod's pause (containerd,
/// `internal/cri/store/sandbox/metadata.go`) within bounds: JSON of Go's own names around the CRI
/// API's. Stateless.
public final class CriPodReader {
    /// Kubernetes holds an object's annotations to 256 KiB; the rest is names and CNI's answer.
    static final int MAX_BYTES = 4 << 20;

    private static final int MAX_ANNOTATIONS = 4096;
    private static final String VERSION = "v1";

    private CriPodReader() {}

    /// @throws InvalidSpec if `bytes` is not such metadata: to go on without it could give a pod
    ///   more than its RuntimeClass allows
    public static CriPod parse(byte[] bytes, ContainerKey pause) {
        JsonNode json =
                new JsonDocument(
                                "containerd's metadata of pod sandbox " + pause,
                                MAX_BYTES,
                                (message, cause) ->
                                        cause == null
                                                ? new InvalidSpec(message)
                                                : new InvalidSpec(message, cause))
                        .parse(bytes);
        String version = json.requiredText("Version");
        if (!version.equals(VERSION)) {
            throw json.error(
                    "Version: expected %s, found another: this Atoll does not know this version of containerd"
                            .formatted(VERSION));
        }
        JsonNode metadata = json.required("Metadata", "an object");
        return new CriPod(
                metadata.optionalText("RuntimeHandler"),
                metadata.member("Config")
                        .map(config -> config.textMap("annotations", MAX_ANNOTATIONS))
                        .orElse(Map.of()));
    }
}
