package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.engine.Policy;
import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.NetworkPolicy;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The node's settings with their policies made in the engine. Immutable.
final class HandlerProfiles {
    private static final String DEFAULT_NAME = "default";

    private final Profile defaults;
    private final Map<String, Profile> handlers;

    /// What the guests of a handler start from.
    record Profile(HttpSettings http, Policy policy, boolean nativeContainers) {}

    /// Makes policies: the engine, or a test.
    interface PolicyMaker {
        /// @throws InvalidWorkload if a rule is wrong
        Policy make(String name, NetworkPolicy policy);
    }

    private HandlerProfiles(Profile defaults, Map<String, Profile> handlers) {
        this.defaults = defaults;
        this.handlers = Map.copyOf(handlers);
    }

    /// Each handler has a policy of its own, since the engine's log names it.
    ///
    /// @throws InvalidWorkload that names where a wrong rule is written
    static HandlerProfiles of(NodeSettings settings, PolicyMaker policies) {
        Profile defaults = profile(DEFAULT_NAME, settings.defaults(), policies);
        Map<String, Profile> handlers = new HashMap<>();
        settings.handlers()
                .forEach((name, handler) -> handlers.put(name, profile(name, handler, policies)));
        return new HandlerProfiles(defaults, handlers);
    }

    private static Profile profile(String name, HandlerSettings settings, PolicyMaker policies) {
        try {
            return new Profile(
                    settings.http(),
                    policies.make(name, settings.network()),
                    settings.nativeContainers());
        } catch (InvalidWorkload e) {
            throw new InvalidWorkload(
                    "%s: %s".formatted(settings.networkSource(), e.getMessage()), e);
        }
    }

    /// @param handler empty for what is in no pod
    Profile of(Optional<String> handler) {
        return handler.map(name -> handlers.getOrDefault(name, defaults)).orElse(defaults);
    }
}
