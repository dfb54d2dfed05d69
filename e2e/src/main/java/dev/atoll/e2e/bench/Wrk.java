package dev.atoll.e2e.bench;

import dev.atoll.e2e.net.NetworkNamespace;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What `wrk` measured of a server.
///
/// @param requests answered in a second
/// @param median of the latency, in milliseconds
/// @param tail what 99 of 100 requests were answered within, in milliseconds
record Wrk(double requests, double median, double tail) {
    /// Asks a server for as long as given, on so many connections.
    static Wrk run(NetworkNamespace network, String url, int connections, int seconds) {
        String output =
                network.command(
                                "wrk",
                                "--threads",
                                "1",
                                "--connections",
                                Integer.toString(connections),
                                "--duration",
                                seconds + "s",
                                "--latency",
                                url)
                        .run()
                        .orThrow("wrk " + url);
        if (output.contains("Socket errors") || output.contains("Non-2xx")) {
            throw new IllegalStateException(url + " failed requests: " + output);
        }
        return new Wrk(
                Double.parseDouble(found("Requests/sec: +([0-9.]+)", output).group(1)),
                latency("50%", output),
                latency("99%", output));
    }

    private static double latency(String share, String output) {
        Matcher found = found(share + " +([0-9.]+)(us|ms|s)", output);
        double value = Double.parseDouble(found.group(1));
        return switch (found.group(2)) {
            case "us" -> value / 1000;
            case "ms" -> value;
            default -> value * 1000;
        };
    }

    private static Matcher found(String pattern, String output) {
        Matcher matcher = Pattern.compile(pattern).matcher(output);
        if (!matcher.find()) {
            throw new IllegalStateException("no " + pattern + " in what wrk says: " + output);
        }
        return matcher;
    }
}
