package dev.atoll.e2e.bench;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.net.NetworkNamespace;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.e2e.pod.PodRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/// Measures what limits are worth, and what they cost: a light server beside guests that spin, how
/// exactly a CPU quota is kept, and guests with and without limits.
final class LimitsBenchmark {
    /// How many guests spin beside the server.
    static final int SPINNERS = 8;

    /// How long the server is asked, and the quota is watched.
    static final int SECONDS = 5;

    /// How often guests with and without limits are run.
    static final int RUNS = 11;

    /// How often the daemon is asked for a container's figures.
    static final int ASKED = 500;

    /// Steps of the guest that computes.
    static final long STEPS = 500_000_000;

    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final String SERVER = "127.0.0.1:9005";
    private static final long SHARES = 1024;
    private static final long PERIOD = 100_000;
    private static final long QUARTER = 25_000;

    private final Node node;
    private final NetworkNamespace network;
    private final String server;
    private final String guest;

    LimitsBenchmark(Node node, Images images) {
        this.node = node;
        this.network = node.network();
        this.server = images.push(Artifact.of(Checkout.guest("server.p2.wasm")));
        this.guest = images.push(Artifact.of(Checkout.guest("guest.p1.wasm")));
    }

    /// Runs it.
    void run(Consumer<Figure> report) {
        fairness(report);
        quota(report);
        cost("limits.start", report, "hello");
        cost("limits.compute", report, "count", Long.toString(STEPS));
    }

    private void fairness(Consumer<Figure> report) {
        try (Pod web = Pod.run(node, PodRequest.of(Pod.WASMTIME).hostNetwork());
                Pod busy = Pod.run(node)) {
            PodContainer served =
                    web.start(
                            weighing(ContainerRequest.of(server))
                                    .env("WASMTIME_HTTP_PROXY_SOCKET_ADDR", SERVER));
            network.awaitListener("127.0.0.1", 9005);
            String url = "http://" + SERVER + "/";
            var _ = Wrk.run(network, url, 1, 1);
            report("fairness.alone", Wrk.run(network, url, 1, SECONDS), report);
            answers("fairness.alone.stats", served, report);
            for (int i = 0; i < SPINNERS; i++) {
                busy.start(weighing(guest("spin"))).awaitOutput("spinning");
            }
            String beside = "fairness.%d_spinners".formatted(SPINNERS);
            report(beside, Wrk.run(network, url, 1, SECONDS), report);
            answers(beside + ".stats", served, report);
        }
    }

    /// How long the daemon takes to answer, asked through containerd as kubelet does.
    private static void answers(String name, PodContainer container, Consumer<Figure> report) {
        double[] all =
                IntStream.range(0, ASKED)
                        .mapToDouble(i -> {
                            long begun = System.nanoTime();
                            var _ = container.stats();
                            return (System.nanoTime() - begun) / 1e6;
                        })
                        .sorted()
                        .toArray();
        report.accept(new Figure(name + ".p50", "ms", ASKED, Figure.median(all), Map.of()));
        report.accept(new Figure(name + ".p99", "ms", ASKED, all[ASKED * 99 / 100], Map.of()));
    }

    private static void report(String name, Wrk result, Consumer<Figure> report) {
        report.accept(Figure.ofAtoll(name, "requests/s", result.requests()));
        report.accept(Figure.ofAtoll(name + ".p50", "ms", result.median()));
        report.accept(Figure.ofAtoll(name + ".p99", "ms", result.tail()));
    }

    /// The share of a core that a spinner with a quarter of one really gets.
    private void quota(Consumer<Figure> report) {
        try (Pod pod = Pod.run(node)) {
            PodContainer spinner = pod.start(limited(guest("spin"), QUARTER));
            spinner.awaitOutput("spinning");
            long begun = System.nanoTime();
            long before = cpu(spinner);
            Awaitility.await()
                    .atMost(DEADLINE)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> System.nanoTime() - begun >= SECONDS * 1_000_000_000L);
            long used = cpu(spinner) - before;
            double cores = (double) used / (System.nanoTime() - begun);
            report.accept(Figure.ofAtoll("limits.quota_250m", "cores", cores));
        }
    }

    private static long cpu(PodContainer container) {
        return container.stats().getCpu().getUsageCoreNanoSeconds().getValue();
    }

    /// Start to exit of the same guest without limits and with more than it needs, in turn.
    private void cost(String name, Consumer<Figure> report, String... words) {
        List<Double> without = new ArrayList<>();
        List<Double> with = new ArrayList<>();
        IntStream.range(-1, RUNS)
                .forEach(run -> {
                    double free = milliseconds(guest(words));
                    double held = milliseconds(limited(guest(words), 100 * PERIOD));
                    if (run >= 0) {
                        without.add(free);
                        with.add(held);
                    }
                });
        report.accept(figure(name + ".without", without));
        report.accept(figure(name + ".with", with));
    }

    private static Figure figure(String name, List<Double> values) {
        double[] all = values.stream().mapToDouble(Double::doubleValue).toArray();
        return new Figure(name, "ms", all.length, Figure.median(all), Map.of());
    }

    private double milliseconds(ContainerRequest request) {
        try (Pod pod = Pod.run(node)) {
            PodContainer container = pod.create(request);
            long begun = System.nanoTime();
            container.start();
            int code = container.awaitExit().getExitCode();
            if (code != 0) {
                throw new IllegalStateException("the guest ended with " + code);
            }
            return (System.nanoTime() - begun) / 1e6;
        }
    }

    private ContainerRequest guest(String... words) {
        return ContainerRequest.of(guest).args(words);
    }

    private static ContainerRequest weighing(ContainerRequest request) {
        return request.limits(limits -> limits.setCpuShares(SHARES));
    }

    private static ContainerRequest limited(ContainerRequest request, long quota) {
        return weighing(request)
                .limits(limits ->
                        limits.setCpuPeriod(PERIOD)
                                .setCpuQuota(quota)
                                .setMemoryLimitInBytes(1 << 30));
    }
}
