package dev.atoll.sandbox.guest;

import java.util.Map;

/// What the node's operator decided.
///
/// @param defaults of every pod whose handler is not in `handlers`, and of what is in no pod
/// @param handlers by the name of the RuntimeClass' handler
/// @param limits of all guests, whatever their handler
/// @param nativeRuntime the shim that runs native containers: a path, or a name on the daemon's
///   `PATH`
public record NodeSettings(
        HandlerSettings defaults,
        Map<String, HandlerSettings> handlers,
        NodeLimits limits,
        String nativeRuntime) {
    public static final String DEFAULT_NATIVE_RUNTIME = "containerd-shim-runc-v2";

    public static final NodeSettings DEFAULTS =
            new NodeSettings(HandlerSettings.DEFAULTS, Map.of(), NodeLimits.DEFAULTS);

    /// With the usual shim for native containers.
    public NodeSettings(
            HandlerSettings defaults, Map<String, HandlerSettings> handlers, NodeLimits limits) {
        this(defaults, handlers, limits, DEFAULT_NATIVE_RUNTIME);
    }

    public NodeSettings {
        handlers = Map.copyOf(handlers);
    }
}
