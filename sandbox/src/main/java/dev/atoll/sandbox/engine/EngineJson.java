package dev.atoll.sandbox.engine;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonWriter;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.RootfsMount;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.http.HttpSetting;
import dev.atoll.sandbox.network.GuestNetwork;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The JSON texts of `atoll_engine.h`.
final class EngineJson {
    private EngineJson() {}

    private interface Body {
        void write(JsonWriter json) throws IOException;
    }

    static String options(EngineOptions options) {
        return object(json ->
                json.name("maxGuests")
                        .value(options.maxGuests())
                        .name("workers")
                        .value(options.workers())
                        .name("memory")
                        .value(options.memory()));
    }

    static String compile(String owner, String name, Path source, Path output) {
        return object(json ->
                json.name("name")
                        .value(name)
                        .name("owner")
                        .value(owner)
                        .name("source")
                        .value(source.toString())
                        .name("output")
                        .value(output.toString()));
    }

    static String map(String name, Path precompiled) {
        return object(json ->
                json.name("name").value(name).name("precompiled").value(precompiled.toString()));
    }

    static String view(ViewRequest request) {
        return object(json -> {
            json.name("rootfs").beginArray();
            for (RootfsMount mount : request.rootfs()) {
                json.beginObject();
                json.name("type").value(mount.type()).name("source").value(mount.source());
                texts(json, "options", mount.options());
                json.endObject();
            }
            json.endArray();
            json.name("rootDirectory").value(request.rootDirectory());
            json.name("readonly").value(request.readonly());
            json.name("mounts").beginArray();
            for (ViewRequest.ViewMount mount : request.mounts()) {
                viewMount(json, mount);
            }
            json.endArray();
        });
    }

    static String guest(GuestSpec spec, long view) {
        return object(json -> {
            json.name("name").value(spec.name()).name("view").value(view);
            texts(json, "args", spec.args());
            texts(json, "env", spec.env());
            json.name("cwd").value(spec.cwd());
            optional(json, "export", spec.export());
            path(json, "stdin", spec.stdio().stdin());
            path(json, "stdout", spec.stdio().stdout());
            path(json, "stderr", spec.stdio().stderr());
            if (spec.terminal().isPresent()) {
                terminal(json, spec.terminal().get());
            }
            if (spec.joins().isPresent()) {
                json.name("joins").value(spec.joins().get().id());
            } else {
                limits(json, spec.limits());
            }
            user(json, spec.user());
            json.name("maxOpenFiles").value(spec.maxOpenFiles());
            network(json, spec.network());
            if (spec.http().isPresent()) {
                http(json, spec.http().get());
            }
        });
    }

    static String update(Resources limits) {
        return object(json -> limits(json, limits));
    }

    static String policy(String name, NetworkPolicy policy) {
        return object(json -> {
            json.name("name").value(name);
            if (policy.allow().isPresent()) {
                texts(json, "allow", policy.allow().get());
            }
            texts(json, "deny", policy.deny());
            json.name("maxSockets").value(policy.maxSockets());
        });
    }

    static JsonObject parse(EngineFunction function, String text) {
        try {
            return JsonParser.parseString(text).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException e) {
            throw new SandboxFailure(
                    "%s returned what is not a JSON object: %s".formatted(function.symbol(), text),
                    e);
        }
    }

    private static void terminal(JsonWriter json, TerminalSize size) throws IOException {
        json.name("terminal").beginObject();
        json.name("columns").value(size.columns()).name("rows").value(size.rows());
        json.endObject();
    }

    private static void limits(JsonWriter json, Resources limits) throws IOException {
        if (limits.memoryLimit().isPresent()) {
            json.name("memoryLimit").value(Math.max(0, limits.memoryLimit().get()));
        }
        json.name("cpu").beginObject();
        number(json, "quotaMicros", limits.cpuQuota());
        number(json, "periodMicros", limits.cpuPeriod());
        number(json, "burstMicros", limits.cpuBurst());
        number(json, "shares", limits.cpuShares());
        json.endObject();
    }

    private static void user(JsonWriter json, GuestUser user) throws IOException {
        json.name("user").beginObject();
        json.name("uid").value(user.uid()).name("gid").value(user.gid());
        json.name("groups").beginArray();
        for (long group : user.groups()) {
            json.value(group);
        }
        json.endArray();
        if (user.umask().isPresent()) {
            json.name("umask").value(user.umask().get());
        }
        texts(json, "capabilities", user.capabilities());
        json.endObject();
    }

    private static void network(JsonWriter json, NetworkSpec spec) throws IOException {
        json.name("network").beginObject();
        switch (spec.network()) {
            case GuestNetwork.OfTheNode() -> {}
            case GuestNetwork.InNamespace(Path path) ->
                    json.name("namespace").value(path.toString());
            case GuestNetwork.Fresh() -> json.name("fresh").value(true);
        }
        json.name("policy").value(spec.policy().id());
        json.endObject();
    }

    private static void http(JsonWriter json, HttpSpec spec) throws IOException {
        json.name("http").beginObject().name("address").value(spec.address());
        for (HttpSetting setting : HttpSetting.values()) {
            json.name(setting.member()).value(spec.settings().get(setting));
        }
        json.endObject();
    }

    private static void viewMount(JsonWriter json, ViewRequest.ViewMount mount) throws IOException {
        json.beginObject();
        json.name("destination").value(mount.destination());
        optional(json, "source", mount.source());
        json.name("type").value(mount.type());
        json.name("readonly").value(mount.readonly());
        json.name("recursive").value(mount.recursive());
        texts(json, "options", mount.options());
        json.endObject();
    }

    private static void optional(JsonWriter json, String name, Optional<String> value)
            throws IOException {
        if (value.isPresent()) {
            json.name(name).value(value.get());
        }
    }

    private static void number(JsonWriter json, String name, Optional<Long> value)
            throws IOException {
        if (value.isPresent()) {
            json.name(name).value(value.get());
        }
    }

    private static void path(JsonWriter json, String name, String value) throws IOException {
        if (!value.isEmpty()) {
            json.name(name).value(value);
        }
    }

    private static void texts(JsonWriter json, String name, List<String> values)
            throws IOException {
        json.name(name).beginArray();
        for (String value : values) {
            json.value(value);
        }
        json.endArray();
    }

    private static String object(Body body) {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            body.write(json);
            json.endObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return text.toString();
    }
}
