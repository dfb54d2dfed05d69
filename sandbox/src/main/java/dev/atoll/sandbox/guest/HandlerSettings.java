package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.http.HttpSettings;
import dev.atoll.sandbox.network.NetworkPolicy;

/// What the node's operator decided for the pods of a runtime handler.
///
/// @param networkSource where the policy is written, for messages: `/etc/atoll/config.toml:
///   network`
/// @param nativeContainers whether containers that are not WebAssembly run, too
public record HandlerSettings(
        HttpSettings http, NetworkPolicy network, String networkSource, boolean nativeContainers) {
    public static final HandlerSettings DEFAULTS =
            new HandlerSettings(
                    HttpSettings.DEFAULTS, NetworkPolicy.DEFAULT, "Atoll's own default policy");

    /// With native containers.
    public HandlerSettings(HttpSettings http, NetworkPolicy network, String networkSource) {
        this(http, network, networkSource, true);
    }

    public HandlerSettings withNativeContainers(boolean allowed) {
        return new HandlerSettings(http, network, networkSource, allowed);
    }
}
