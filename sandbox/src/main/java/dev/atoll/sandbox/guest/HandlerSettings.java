package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.NetworkPolicy;

/// What the node's operator decided for the pods of a runtime handler.
///
/// @param networkSource where the policy is written, for messages: `/etc/atoll/config.toml:
///   network`
public record HandlerSettings(HttpSettings http, NetworkPolicy network, String networkSource) {
    public static final HandlerSettings DEFAULTS =
            new HandlerSettings(
                    HttpSettings.DEFAULTS, NetworkPolicy.DEFAULT, "Atoll's own default policy");
}
