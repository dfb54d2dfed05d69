package dev.atoll.e2e.net;

import dev.atoll.e2e.node.Background;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// A dnsmasq where pods expect their cluster's name server.
///
/// @param process the program
/// @param directory its files
public record NameServer(Background process, Path directory) implements AutoCloseable {
    /// Where it listens, inside the node.
    public static final String ADDRESS = "10.96.0.10";

    /// Starts one that knows the given names and answers `NXDOMAIN` to all others.
    ///
    /// @param lines lines of `/etc/hosts`
    public static NameServer start(NetworkNamespace node, List<String> lines) throws IOException {
        return start(node, ADDRESS, lines);
    }

    /// Starts one at another address.
    public static NameServer start(NetworkNamespace node, String address, List<String> lines)
            throws IOException {
        Path directory = Files.createTempDirectory("names");
        Path hosts = Files.write(directory.resolve("hosts"), lines);
        Background process =
                node.start(
                        "dnsmasq",
                        "--keep-in-foreground",
                        "--conf-file=/dev/null",
                        "--user=root",
                        "--pid-file",
                        "--bind-interfaces",
                        "--listen-address=" + address,
                        "--no-resolv",
                        "--no-hosts",
                        "--addn-hosts=" + hosts,
                        "--local=/#/",
                        // An answer that is longer is cut off: the asker has to come back by TCP.
                        "--edns-packet-max=512",
                        "--log-queries",
                        "--log-facility=-");
        var server = new NameServer(process, directory);
        node.awaitListener(address, 53);
        return server;
    }

    /// Returns lines that give a name so many addresses, 10.77.0.1 and following.
    public static List<String> manyAddresses(String name, int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(number -> "10.77.0.%d %s".formatted(number, name))
                .toList();
    }

    /// Returns the lists joined.
    @SafeVarargs
    public static List<String> join(List<String>... lists) {
        var all = new ArrayList<String>();
        for (List<String> list : lists) {
            all.addAll(list);
        }
        return all;
    }

    /// Returns what it was asked, and what it answered.
    public String log() {
        return process.output();
    }

    @Override
    public void close() throws IOException {
        process.close();
        Files.delete(directory.resolve("hosts"));
        Files.delete(directory);
    }
}
