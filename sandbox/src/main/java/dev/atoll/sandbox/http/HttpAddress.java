package dev.atoll.sandbox.http;

import dev.atoll.oci.OneLine;
import dev.atoll.sandbox.InvalidWorkload;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Where a server listens, as its environment says: `WASMTIME_HTTP_PROXY_SOCKET_ADDR` (the name
/// that runwasi gave it), else `PORT`, else port 8080 of all addresses. A variable without a value
/// counts as absent. Stateless.
public final class HttpAddress {
    static final String ADDRESS = "WASMTIME_HTTP_PROXY_SOCKET_ADDR";
    static final String PORT = "PORT";

    /// That port of all addresses, IPv6 and IPv4.
    static final String DEFAULT = ":8080";

    private static final int GREATEST_PORT = 65_535;
    private static final Pattern DIGITS = Pattern.compile("[0-9]{1,5}");
    private static final Pattern OCTET = Pattern.compile("0|[1-9][0-9]{0,2}");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

    private HttpAddress() {}

    /// @param env `NAME=VALUE`; of a name that comes twice, the later counts
    /// @return `HOST:PORT`, or `:PORT` for all addresses, as `atoll_engine.h` takes it
    /// @throws InvalidWorkload if a variable's value is neither
    public static String of(List<String> env) {
        Optional<String> address = variable(env, ADDRESS);
        if (address.isPresent()) {
            return address(address.get());
        }
        return variable(env, PORT).map(HttpAddress::allAddresses).orElse(DEFAULT);
    }

    private static Optional<String> variable(List<String> env, String name) {
        String prefix = name + "=";
        return env.reversed().stream()
                .filter(entry -> entry.startsWith(prefix))
                .findFirst()
                .map(entry -> entry.substring(prefix.length()))
                .filter(value -> !value.isEmpty());
    }

    private static String address(String value) {
        int colon = value.lastIndexOf(':');
        if (colon < 0
                || !isHost(value.substring(0, colon))
                || port(value.substring(colon + 1)) == 0) {
            throw new InvalidWorkload(
                    "environment variable %s: expected ADDRESS:PORT with an IP address and a port from 1 to %d, such as 0.0.0.0:8080, [::]:8080 or :8080, found %s"
                            .formatted(ADDRESS, GREATEST_PORT, OneLine.quoted(value)));
        }
        return value.substring(0, colon) + ":" + port(value.substring(colon + 1));
    }

    private static String allAddresses(String value) {
        int port = port(value);
        if (port == 0) {
            throw new InvalidWorkload(
                    "environment variable %s: expected a port from 1 to %d, found %s"
                            .formatted(PORT, GREATEST_PORT, OneLine.quoted(value)));
        }
        return ":" + port;
    }

    /// @return 0 if it is none
    private static int port(String text) {
        if (!DIGITS.matcher(text).matches()) {
            return 0;
        }
        int port = Integer.parseInt(text);
        return port <= GREATEST_PORT ? port : 0;
    }

    private static boolean isHost(String host) {
        if (host.isEmpty()) {
            return true;
        }
        if (host.startsWith("[") && host.endsWith("]")) {
            return isIpv6(host.substring(1, host.length() - 1));
        }
        String[] octets = host.split("\\.", -1);
        if (octets.length != 4) {
            return false;
        }
        for (String octet : octets) {
            if (!OCTET.matcher(octet).matches() || Integer.parseInt(octet) > 255) {
                return false;
            }
        }
        return true;
    }

    /// A literal is never looked up.
    private static boolean isIpv6(String text) {
        if (!IPV6.matcher(text).matches()) {
            return false;
        }
        try {
            return !InetAddress.ofLiteral(text).getHostAddress().isEmpty();
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
