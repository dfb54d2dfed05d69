package dev.atoll.e2e.bench;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.net.NetworkNamespace;
import dev.atoll.e2e.node.Background;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/// Measures how servers answer twelve bytes: a native one, `wasmtime serve`, and Atoll with a fresh
/// instance for each request and with instances that are used again.
///
/// All listen on the loopback of the node's network, Atoll's in pods of that network: the way of a
/// request is the same.
final class HttpBenchmark {
    /// How many rounds, in each of which every server is measured.
    static final int ROUNDS = 5;

    /// How long a server is measured in a round.
    static final int SECONDS = 3;

    private static final int[] CONNECTIONS = {1, 50};
    private static final String NATIVE = "127.0.0.1:9001";
    private static final String WASMTIME = "127.0.0.1:9002";
    private static final String FRESH = "127.0.0.1:9003";
    private static final String REUSED = "127.0.0.1:9004";

    private final Node node;
    private final NetworkNamespace network;
    private final String image;

    HttpBenchmark(Node node, Images images) {
        this.node = node;
        this.network = node.network();
        this.image = images.push(Artifact.of(Checkout.guest("server.p2.wasm")));
    }

    /// Runs it.
    void run(Consumer<Figure> report) {
        String wasmtime = Checkout.root().resolve("target/tools/wasmtime/bin/wasmtime").toString();
        String program = Checkout.guest("server.p2.wasm").toString();
        PodRequest plain = PodRequest.of(Pod.WASMTIME).hostNetwork();
        PodRequest reusing =
                PodRequest.of(Pod.WASMTIME).hostNetwork().http("reuse-requests", 1_000_000);
        try (Background _ = network.start(Checkout.guest("native-http").toString(), NATIVE);
                Background _ =
                        network.start(wasmtime, "serve", "-S", "cli", "--addr", WASMTIME, program);
                Pod _ = serving(plain, FRESH);
                Pod _ = serving(reusing, REUSED)) {
            for (String server : List.of(NATIVE, WASMTIME, FRESH, REUSED)) {
                String[] pair = server.split(":", 2);
                network.awaitListener(pair[0], Integer.parseInt(pair[1]));
            }
            for (int connections : CONNECTIONS) {
                report(measured(connections), connections, report);
            }
        }
    }

    private Pod serving(PodRequest request, String address) {
        Pod pod = Pod.run(node, request);
        pod.start(ContainerRequest.of(image).env("WASMTIME_HTTP_PROXY_SOCKET_ADDR", address));
        return pod;
    }

    /// All servers in turn, several times; the first time does not count.
    private Map<String, List<Wrk>> measured(int connections) {
        var results = new LinkedHashMap<String, List<Wrk>>();
        for (int round = -1; round < ROUNDS; round++) {
            for (String server : List.of(NATIVE, WASMTIME, FRESH, REUSED)) {
                Wrk result = Wrk.run(network, "http://" + server + "/", connections, SECONDS);
                if (round >= 0) {
                    results.computeIfAbsent(server, _ -> new ArrayList<>()).add(result);
                }
            }
        }
        return results;
    }

    private static void report(
            Map<String, List<Wrk>> results, int connections, Consumer<Figure> report) {
        Map<String, String> ours = new LinkedHashMap<>();
        ours.put("fresh", FRESH);
        ours.put("reused", REUSED);
        ours.forEach((name, server) -> {
            String whole = "http.%s.c%d".formatted(name, connections);
            report.accept(figure(whole, "requests/s", results, server, Wrk::requests));
            report.accept(figure(whole + ".p50", "ms", results, server, Wrk::median));
            report.accept(figure(whole + ".p99", "ms", results, server, Wrk::tail));
        });
    }

    private static Figure figure(
            String name,
            String unit,
            Map<String, List<Wrk>> results,
            String ours,
            ToDoubleFunction<Wrk> of) {
        return new Figure(
                name,
                unit,
                ROUNDS,
                median(results, ours, of),
                Map.of(
                        Figure.NATIVE,
                        median(results, NATIVE, of),
                        Figure.FLOOR,
                        median(results, WASMTIME, of)));
    }

    private static double median(
            Map<String, List<Wrk>> results, String server, ToDoubleFunction<Wrk> of) {
        List<Wrk> all = results.getOrDefault(server, List.of());
        return Figure.median(all.stream().mapToDouble(of).toArray());
    }
}
