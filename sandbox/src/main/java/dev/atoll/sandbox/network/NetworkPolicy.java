package dev.atoll.sandbox.network;

import java.util.List;
import java.util.Optional;

/// What guests may reach. A rule is TARGET or TARGET:PORTS, as `atoll_engine.h` has it: `*`, a host
/// name, `*.NAME`, an address or a CIDR; the engine checks it.
///
/// @param allow key `allow`; empty: everything that is not denied
/// @param deny key `deny`; wins over `allow`
/// @param maxSockets key `max-sockets`: open sockets of one guest, those of outgoing HTTP included;
///   0: no limit
public record NetworkPolicy(Optional<List<String>> allow, List<String> deny, long maxSockets) {
    /// A cloud's metadata service hands out the node's credentials: no guest is to reach it unless
    /// the node's operator says so.
    public static final NetworkPolicy DEFAULT =
            new NetworkPolicy(Optional.empty(), List.of("169.254.169.254", "fd00:ec2::254"), 1_024);

    /// Greatest `max-sockets`.
    public static final long MOST_SOCKETS = 1 << 20;

    /// Most rules of `allow` and of `deny`, each.
    public static final int MOST_RULES = 4_096;

    public NetworkPolicy {
        allow = allow.map(List::copyOf);
        deny = List.copyOf(deny);
        if (maxSockets < 0 || maxSockets > MOST_SOCKETS) {
            throw new IllegalArgumentException(
                    "maxSockets: expected 0 to %d, found %d".formatted(MOST_SOCKETS, maxSockets));
        }
    }

    public NetworkPolicy withAllow(List<String> rules) {
        return new NetworkPolicy(Optional.of(rules), deny, maxSockets);
    }

    public NetworkPolicy withDeny(List<String> rules) {
        return new NetworkPolicy(allow, rules, maxSockets);
    }

    public NetworkPolicy withMaxSockets(long most) {
        return new NetworkPolicy(allow, deny, most);
    }
}
