package dev.atoll.oci.spec;

import dev.atoll.oci.InvalidSpec;
import dev.atoll.oci.json.JsonDocument;
import dev.atoll.oci.json.JsonNode;
import dev.atoll.oci.spec.RuntimeSpec.Resources;

/// Reads `linux.resources` of a runtime spec, of which a request for an update is a document of its
/// own. What Atoll does not act on is not looked at: kubelet always sends devices. Stateless.
public final class ResourcesReader {
    private static final int MAX_BYTES = 1 << 20;

    private ResourcesReader() {}

    /// @param json `LinuxResources` of the OCI runtime-spec
    /// @param container how messages call the container
    /// @throws InvalidSpec if it is not what is expected
    public static Resources parse(byte[] json, String container) {
        return read(
                new JsonDocument(
                                "resources of container " + container,
                                MAX_BYTES,
                                (message, cause) ->
                                        cause == null
                                                ? new InvalidSpec(message)
                                                : new InvalidSpec(message, cause))
                        .parse(json));
    }

    static Resources read(JsonNode json) {
        var memory = json.member("memory");
        var cpu = json.member("cpu");
        return new Resources(
                memory.flatMap(node -> node.optionalInteger("limit")),
                cpu.flatMap(node -> node.optionalInteger("shares")),
                cpu.flatMap(node -> node.optionalInteger("quota")),
                cpu.flatMap(node -> node.optionalInteger("period")),
                cpu.flatMap(node -> node.optionalInteger("burst")),
                json.member("unified")
                        .flatMap(node -> node.optionalText("memory.oom.group"))
                        .filter("1"::equals)
                        .isPresent());
    }
}
