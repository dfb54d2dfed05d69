package dev.atoll.shim.rpc;

import java.util.List;

/// A service: its full name and its methods. Immutable.
public record RpcService(String name, List<RpcMethod<?, ?>> methods) {
    public RpcService {
        methods = List.copyOf(methods);
    }
}
