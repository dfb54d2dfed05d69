package dev.atoll.e2e.node;

import dev.atoll.cri.v1.ListContainersRequest;
import dev.atoll.cri.v1.StatusRequest;
import dev.atoll.deploy.cri.CriClient;
import dev.atoll.e2e.net.NetworkNamespace;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/// A running test node, see `e2e/node/up`. Closing it ends whatever runs inside and removes what it
/// left.
///
/// Thread-safe but for closing.
public final class Node implements AutoCloseable {
    private static final AtomicInteger STARTED = new AtomicInteger();

    private final String name;
    private final String version;
    private final Map<String, String> facts;
    private final CriClient cri;
    private final NetworkNamespace network;

    private Node(String name, String version, Map<String, String> facts) {
        this.name = name;
        this.version = version;
        this.facts = Map.copyOf(facts);
        this.cri = CriClient.connect(path("/run/containerd/containerd.sock"));
        this.network = NetworkNamespace.of(Path.of("/proc/" + fact("pid") + "/ns/net"));
    }

    /// Starts a node with a containerd of the given version and the distribution under test.
    public static Node start(String version) {
        return start(version, Map.of());
    }

    /// Starts a node that Atoll is not installed on.
    public static Node startBare(String version) {
        return start(version, Map.of("BARE", "yes"));
    }

    private static Node start(String version, Map<String, String> more) {
        String name = "n%d-%d".formatted(ProcessHandle.current().pid(), STARTED.incrementAndGet());
        Map<String, String> environment = new HashMap<>(more);
        environment.put("DIST", Checkout.distribution().toString());
        String output =
                Command.of(List.of(Checkout.nodeScript("up"), name, version))
                        .withEnvironment(environment)
                        .run()
                        .orThrow("start a node with containerd " + version);
        Map<String, String> facts =
                output.lines()
                        .map(line -> line.split("=", 2))
                        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        var node = new Node(name, version, facts);
        node.awaitCri();
        return node;
    }

    /// Returns the version it was asked for.
    public String version() {
        return version;
    }

    /// Returns the client of its containerd.
    public CriClient cri() {
        return cri;
    }

    /// Returns its network, which reaches its pods; it ends with the node.
    public NetworkNamespace network() {
        return network;
    }

    /// Returns the host and port that tests push to; what is pushed there is pulled from
    /// [#pullAddress()].
    public String pushAddress() {
        return fact("push");
    }

    /// Returns the host and port that the node pulls from.
    public String pullAddress() {
        return fact("pull");
    }

    /// Returns where a file of the node is found from outside.
    public Path path(String inside) {
        return Path.of(fact("root") + inside);
    }

    /// Runs a command inside.
    public CommandResult exec(String... words) {
        return execWithInput("", words);
    }

    /// Runs a command inside that reads the given text.
    public CommandResult execWithInput(String input, String... words) {
        return inside(List.of(words)).withInput(input).run();
    }

    /// Runs its containerd's `ctr` in a namespace.
    public CommandResult ctr(String namespace, String... words) {
        return ctrWithInput("", namespace, words);
    }

    /// Runs its containerd's `ctr` in a namespace, reading the given text.
    public CommandResult ctrWithInput(String input, String namespace, String... words) {
        var all = new ArrayList<>(List.of(ctrProgram(), "--namespace", namespace));
        all.addAll(List.of(words));
        return inside(all).withInput(input).run();
    }

    /// Returns where `ctr` is inside.
    public String ctrProgram() {
        return fact("containerd") + "/ctr";
    }

    /// Returns where the distribution under test is inside.
    public String distribution() {
        return fact("dist");
    }

    /// Runs the `atoll` command of the distribution inside.
    public CommandResult atoll(String... words) {
        var all = new ArrayList<>(List.of(distribution() + "/bin/atoll"));
        all.addAll(List.of(words));
        return inside(all).run();
    }

    /// Ends containerd alone, by a signal's name; containers stay.
    public void stopContainerd(String signal) {
        boot("containerd-stop", signal).orThrow("stop containerd");
    }

    /// Starts containerd again.
    public void startContainerd() {
        boot("containerd-start").orThrow("start containerd");
        awaitCri();
    }

    /// Returns the command that restarts containerd inside, for whoever has to.
    public String restartCommand() {
        return String.join(" ", bootWords("containerd-restart"));
    }

    /// Says whether ports of the node lead to those of pods that ask for it, and waits until
    /// containerd knows.
    public void forwardHostPorts(boolean on) {
        boot("host-ports", on ? "on" : "off").orThrow("change the network of node " + name);
        Awaitility.await("the network of node " + name)
                .atMost(Duration.ofSeconds(30))
                .until(() -> networkConfiguration().contains("portmap") == on);
    }

    private String networkConfiguration() {
        return cri.runtime()
                .status(StatusRequest.newBuilder().setVerbose(true).build())
                .getInfoOrDefault("cniconfig", "");
    }

    /// containerd answers before its CRI has read back its pods; until then CRI calls itself
    /// unavailable.
    public void awaitCri() {
        Awaitility.await("CRI of node " + name)
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(20))
                .ignoreException(StatusRuntimeException.class)
                .until(() ->
                        cri.runtime()
                                .listContainers(ListContainersRequest.getDefaultInstance())
                                .isInitialized());
    }

    /// Returns the processes inside.
    public List<NodeProcess> processes() {
        try {
            return NodeProcess.ofNode(Long.parseLong(fact("pid")));
        } catch (IOException e) {
            throw new UncheckedIOException("list the processes of node " + name, e);
        }
    }

    /// Returns the Atoll daemons that run inside: at most one is meant to.
    public List<NodeProcess> daemons() {
        return processes().stream().filter(NodeProcess::isDaemon).toList();
    }

    private CommandResult boot(String... words) {
        return inside(bootWords(words)).run();
    }

    private List<String> bootWords(String... words) {
        var all =
                new ArrayList<>(
                        List.of(
                                "env",
                                "CONTAINERD=" + fact("containerd"),
                                "DIST=" + distribution(),
                                "BARE=" + fact("bare"),
                                Checkout.nodeScript("boot")));
        all.addAll(List.of(words));
        return all;
    }

    private Command inside(List<String> words) {
        var all = new ArrayList<>(List.of(Checkout.nodeScript("nodens"), name, "exec"));
        all.addAll(words);
        return Command.of(all);
    }

    private String fact(String key) {
        String value = facts.get(key);
        if (value == null) {
            throw new IllegalStateException(
                    "e2e/node/up printed no " + key + ", only " + facts.keySet());
        }
        return value;
    }

    @Override
    public void close() {
        cri.close();
        network.close();
        Command.of(List.of(Checkout.nodeScript("down"), name)).run().orThrow("end node " + name);
    }

    @Override
    public String toString() {
        return version;
    }
}
