package dev.atoll.sandbox.guest;

import java.util.Map;

/// What the node's operator decided.
///
/// @param defaults of every pod whose handler is not in `handlers`, and of what is in no pod
/// @param handlers by the name of the RuntimeClass' handler
/// @param limits of all guests, whatever their handler
public record NodeSettings(
        HandlerSettings defaults, Map<String, HandlerSettings> handlers, NodeLimits limits) {
    public static final NodeSettings DEFAULTS =
            new NodeSettings(HandlerSettings.DEFAULTS, Map.of(), NodeLimits.DEFAULTS);

    public NodeSettings {
        handlers = Map.copyOf(handlers);
    }
}
