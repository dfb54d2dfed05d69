package dev.atoll.shim.relay;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.atoll.api.containerd.bootstrap.BootstrapResult;
import dev.atoll.oci.OneLine;
import java.io.IOException;
import java.nio.file.Path;

/// Where a shim listens and which of the Task services it serves there.
///
/// @param service full name of the service
record ShimAddress(String service, Path socket) {
    private static final String UNIX = "unix://";

    /// Reads what a shim's `start` prints: since containerd 2.3 a `BootstrapResult`, before that
    /// JSON of the same members, and in the beginning the plain address (containerd,
    /// `core/runtime/v2/shim.go`).
    ///
    /// @throws IOException with one line if it is none of them
    static ShimAddress parse(ByteString output) throws IOException {
        String text = output.toStringUtf8().strip();
        if (text.startsWith(UNIX)) {
            return of(2, text, "ttrpc");
        }
        if (text.startsWith("{")) {
            return json(text);
        }
        try {
            BootstrapResult result = BootstrapResult.parseFrom(output);
            return of(result.getVersion(), result.getAddress(), result.getProtocol());
        } catch (InvalidProtocolBufferException e) {
            throw unexpected(text, e);
        }
    }

    private static ShimAddress json(String text) throws IOException {
        try {
            JsonObject json = JsonParser.parseString(text).getAsJsonObject();
            return of(
                    json.has("version") ? json.get("version").getAsInt() : 2,
                    member(json, "address"),
                    member(json, "protocol"));
        } catch (JsonParseException | IllegalStateException | NumberFormatException e) {
            throw unexpected(text, e);
        }
    }

    private static String member(JsonObject json, String name) {
        JsonElement member = json.get(name);
        return member == null || member.isJsonNull() ? "" : member.getAsString();
    }

    private static ShimAddress of(int version, String address, String protocol) throws IOException {
        if (!address.startsWith(UNIX + "/") || !(protocol.isEmpty() || protocol.equals("ttrpc"))) {
            throw new IOException(
                    "it listens at %s by %s: expected %s/PATH by ttrpc"
                            .formatted(OneLine.quoted(address), OneLine.quoted(protocol), UNIX));
        }
        return switch (version) {
            case 2 -> at("containerd.task.v2.Task", address);
            case 3 -> at("containerd.task.v3.Task", address);
            default ->
                    throw new IOException(
                            "it speaks version %d of containerd's protocol: expected 2 or 3"
                                    .formatted(version));
        };
    }

    private static ShimAddress at(String service, String address) {
        return new ShimAddress(service, Path.of(address.substring(UNIX.length())));
    }

    private static IOException unexpected(String text, Exception cause) {
        return new IOException(
                "it answered %s: expected its address".formatted(OneLine.quoted(text)), cause);
    }
}
