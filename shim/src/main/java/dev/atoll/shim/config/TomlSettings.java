package dev.atoll.shim.config;

import dev.atoll.oci.OneLine;
import dev.atoll.sandbox.guest.HandlerSettings;
import dev.atoll.sandbox.guest.NodeLimits;
import dev.atoll.sandbox.guest.NodeSettings;
import dev.atoll.sandbox.http.HttpSetting;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.http.InvalidSetting;
import dev.atoll.sandbox.http.SettingKind;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.tomlj.Toml;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;

/// The file's tables `[http]`, `[network]`, `[limits]`, `[native]` and, below `[handlers.NAME]`,
/// `http`, `network` and `native`. Stateless.
final class TomlSettings {
    private static final String HTTP = "http";
    private static final String NETWORK = "network";
    private static final String LIMITS = "limits";
    private static final String NATIVE = "native";
    private static final String HANDLERS = "handlers";

    private static final String ALLOW = "allow";
    private static final String DENY = "deny";
    private static final String MAX_SOCKETS = "max-sockets";
    private static final List<String> NETWORK_KEYS = List.of(ALLOW, DENY, MAX_SOCKETS);

    private static final String CONTAINERS = "containers";
    private static final String RUNTIME = "runtime";
    private static final String ALLOWED = "allow";
    private static final String REFUSED = "refuse";

    private TomlSettings() {}

    /// @param file for messages
    static NodeSettings parse(String file, String text) throws InvalidConfig {
        TomlParseResult toml = Toml.parse(text);
        if (toml.hasErrors()) {
            TomlParseError error = toml.errors().getFirst();
            throw new InvalidConfig(
                    "%s line %d: malformed TOML: %s"
                            .formatted(
                                    file,
                                    error.position().line(),
                                    OneLine.of(String.valueOf(error.getMessage()))));
        }
        ConfigTable root = ConfigTable.root(file, toml);
        root.requireKeys(List.of(HTTP, NETWORK, LIMITS, NATIVE, HANDLERS));
        HandlerSettings defaults = merged(HandlerSettings.DEFAULTS, root);
        Map<String, HandlerSettings> handlers = new TreeMap<>();
        Optional<ConfigTable> table = root.table(HANDLERS);
        if (table.isPresent()) {
            for (String name : table.get().keys()) {
                ConfigTable handler = table.get().requiredTable(name);
                handler.requireKeys(List.of(HTTP, NETWORK, NATIVE));
                requireContainersOnly(handler);
                handlers.put(name, merged(defaults, handler));
            }
        }
        Optional<ConfigTable> limits = root.table(LIMITS);
        return new NodeSettings(
                defaults,
                handlers,
                limits.isPresent() ? TomlLimits.parse(limits.get()) : NodeLimits.DEFAULTS,
                nativeRuntime(root));
    }

    private static HandlerSettings merged(HandlerSettings base, ConfigTable table)
            throws InvalidConfig {
        Optional<ConfigTable> http = table.table(HTTP);
        Optional<ConfigTable> network = table.table(NETWORK);
        return new HandlerSettings(
                http.isPresent() ? http(base.http(), http.get()) : base.http(),
                network.isPresent() ? network(base.network(), network.get()) : base.network(),
                network.isPresent() ? network.get().place() : base.networkSource(),
                nativeContainers(base.nativeContainers(), table));
    }

    private static boolean nativeContainers(boolean base, ConfigTable table) throws InvalidConfig {
        Optional<ConfigTable> settings = table.table(NATIVE);
        if (settings.isEmpty()) {
            return base;
        }
        settings.get().requireKeys(List.of(CONTAINERS, RUNTIME));
        Optional<Object> value = settings.get().value(CONTAINERS);
        if (value.isEmpty()) {
            return base;
        }
        if (ALLOWED.equals(value.get()) || REFUSED.equals(value.get())) {
            return ALLOWED.equals(value.get());
        }
        throw settings.get()
                .unexpected(
                        CONTAINERS, "\"%s\" or \"%s\"".formatted(ALLOWED, REFUSED), value.get());
    }

    private static String nativeRuntime(ConfigTable root) throws InvalidConfig {
        Optional<ConfigTable> settings = root.table(NATIVE);
        Optional<Object> value =
                settings.isPresent() ? settings.get().value(RUNTIME) : Optional.empty();
        if (value.isEmpty()) {
            return NodeSettings.DEFAULT_NATIVE_RUNTIME;
        }
        if (value.get() instanceof String text && isRuntime(text)) {
            return text;
        }
        throw settings.orElseThrow()
                .unexpected(
                        RUNTIME,
                        "an absolute path, or a name such as \"%s\""
                                .formatted(NodeSettings.DEFAULT_NATIVE_RUNTIME),
                        value.get());
    }

    private static boolean isRuntime(String text) {
        return text.startsWith("/") || (!text.isEmpty() && text.indexOf('/') < 0);
    }

    /// Which program runs native containers is the node's, not a handler's.
    private static void requireContainersOnly(ConfigTable handler) throws InvalidConfig {
        Optional<ConfigTable> settings = handler.table(NATIVE);
        if (settings.isPresent()) {
            settings.get().requireKeys(List.of(CONTAINERS));
        }
    }

    private static HttpSettings http(HttpSettings base, ConfigTable table) throws InvalidConfig {
        table.requireKeys(HttpSetting.keys());
        Map<HttpSetting, Long> replacements = new EnumMap<>(HttpSetting.class);
        for (HttpSetting setting : HttpSetting.values()) {
            Optional<Object> value = table.value(setting.key());
            if (value.isPresent()) {
                replacements.put(setting, value(setting, table, value.get()));
            }
        }
        return base.with(replacements);
    }

    private static long value(HttpSetting setting, ConfigTable table, Object value)
            throws InvalidConfig {
        try {
            return switch (value) {
                case Long number -> setting.check(number);
                case String text when setting.kind() != SettingKind.COUNT -> setting.parse(text);
                default -> throw table.unexpected(setting.key(), setting.accepted(), value);
            };
        } catch (InvalidSetting e) {
            throw table.error(setting.key(), String.valueOf(e.getMessage()));
        }
    }

    private static NetworkPolicy network(NetworkPolicy base, ConfigTable table)
            throws InvalidConfig {
        table.requireKeys(NETWORK_KEYS);
        NetworkPolicy policy = base;
        Optional<List<String>> allow = table.texts(ALLOW, NetworkPolicy.MOST_RULES);
        if (allow.isPresent()) {
            policy = policy.withAllow(allow.get());
        }
        Optional<List<String>> deny = table.texts(DENY, NetworkPolicy.MOST_RULES);
        if (deny.isPresent()) {
            policy = policy.withDeny(deny.get());
        }
        Optional<Long> sockets = table.number(MAX_SOCKETS, 0, NetworkPolicy.MOST_SOCKETS);
        return sockets.isPresent() ? policy.withMaxSockets(sockets.get()) : policy;
    }
}
