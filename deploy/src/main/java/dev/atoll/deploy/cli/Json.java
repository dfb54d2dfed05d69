package dev.atoll.deploy.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSyntaxException;
import com.google.protobuf.Timestamp;
import dev.atoll.api.v1.Guest;
import dev.atoll.api.v1.InfoResponse;
import java.util.List;

/// The daemon's answers as JSON for programs: names are those of api.proto in camel case, times are
/// ISO 8601, absent values are left out.
final class Json {
    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    private Json() {}

    static String of(List<Guest> guests) {
        JsonArray array = new JsonArray();
        guests.forEach(guest -> array.add(object(guest)));
        return GSON.toJson(array) + "\n";
    }

    static String of(InfoResponse info) {
        JsonObject object = new JsonObject();
        object.addProperty("version", info.getVersion());
        object.addProperty("pid", Integer.toUnsignedLong(info.getPid()));
        if (info.hasStartedAt()) {
            object.addProperty("startedAt", time(info.getStartedAt()));
        }
        object.addProperty("tasks", Integer.toUnsignedLong(info.getTasks()));
        object.add("engine", parseOrQuote(info.getEngine()));
        return GSON.toJson(object) + "\n";
    }

    private static JsonObject object(Guest guest) {
        JsonObject object = new JsonObject();
        object.addProperty("namespace", guest.getNamespace());
        object.addProperty("id", guest.getId());
        object.addProperty("sandboxId", guest.getSandboxId());
        object.addProperty("podNamespace", guest.getPodNamespace());
        object.addProperty("podName", guest.getPodName());
        object.addProperty("containerName", guest.getContainerName());
        object.addProperty("image", guest.getImage());
        object.addProperty("state", guest.getState());
        object.addProperty("kind", guest.getKind());
        object.addProperty("role", guest.getRole());
        object.addProperty("program", guest.getProgram());
        object.addProperty("memoryBytes", guest.getMemoryBytes());
        object.addProperty("peakMemoryBytes", guest.getPeakMemoryBytes());
        object.addProperty("memoryLimit", guest.getMemoryLimit());
        object.addProperty("cpuNanos", guest.getCpuNanos());
        object.addProperty("cpuPeriods", guest.getCpuPeriods());
        object.addProperty("cpuThrottledPeriods", guest.getCpuThrottledPeriods());
        object.addProperty("cpuThrottledNanos", guest.getCpuThrottledNanos());
        if (guest.hasCreatedAt()) {
            object.addProperty("createdAt", time(guest.getCreatedAt()));
        }
        if (guest.hasStartedAt()) {
            object.addProperty("startedAt", time(guest.getStartedAt()));
        }
        if (guest.hasExitedAt()) {
            object.addProperty("exitedAt", time(guest.getExitedAt()));
            object.addProperty("exitStatus", Integer.toUnsignedLong(guest.getExitStatus()));
        }
        object.addProperty("codeCacheHit", guest.getCodeCacheHit());
        if (guest.getRole().equals("server")) {
            object.addProperty("requests", guest.getRequests());
            object.addProperty("requestsTrapped", guest.getRequestsTrapped());
            object.addProperty("requestsRefused", guest.getRequestsRefused());
            object.addProperty("requestsInProgress", guest.getRequestsInProgress());
            object.addProperty("connections", guest.getConnections());
            object.addProperty("instances", guest.getInstances());
        }
        object.addProperty("openSockets", guest.getOpenSockets());
        object.addProperty("policyRefusals", guest.getPolicyRefusals());
        return object;
    }

    private static String time(Timestamp timestamp) {
        return Quantities.instant(timestamp).toString();
    }

    /// The engine describes itself in JSON; should it not be, it is shown as text.
    private static JsonElement parseOrQuote(String text) {
        try {
            return JsonParser.parseString(text);
        } catch (JsonSyntaxException _) {
            return new JsonPrimitive(text);
        }
    }
}
