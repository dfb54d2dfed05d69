package dev.atoll.e2e.bench;

import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.image.RootfsImage;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// Measures pods on a test node, Atoll's and runc's in alternation, then HTTP servers, and writes
/// `target/bench.json` and `docs/benchmarks.md`.
public final class NodeBenchmark {
    private static final String VERSION = "2.4.2";
    private static final int WARM_UP = 5;

    /// More guests than a Linux bridge has ports are packed several to a pod.
    private static final int GUESTS_PER_POD = 10;

    /// As many native pods as show what one costs.
    private static final int NATIVE_PODS = 20;

    private final Node node;
    private final String wasm;
    private final String program;
    private final List<Figure> figures = new ArrayList<>();

    private NodeBenchmark(Node node, Images images) {
        this.node = node;
        this.wasm = images.push(Artifact.of(Checkout.guest("guest.p1.wasm")));
        this.program =
                images.push(RootfsImage.of("/guest", Checkout.guest("guest.native"), "/guest"));
    }

    /// Runs it.
    ///
    /// @param arguments the number of cycles (default 30), then the numbers of sleeping guests
    ///   (default 100 and 1,000)
    public static void main(String[] arguments) throws IOException {
        int cycles = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 30;
        List<Integer> sleepers =
                arguments.length > 1
                        ? Arrays.stream(arguments).skip(1).map(Integer::valueOf).toList()
                        : List.of(100, 1000);
        try (Node node = Node.start(VERSION)) {
            var images = new Images(node);
            var benchmark = new NodeBenchmark(node, images);
            benchmark.latency(cycles);
            benchmark.nativePods();
            benchmark.memory(sleepers);
            new HttpBenchmark(node, images).run(benchmark::report);
            new LimitsBenchmark(node, images).run(benchmark::report);
            benchmark.write(cycles);
        }
    }

    private void latency(int cycles) {
        var atoll = new PodCycle[cycles];
        var runc = new PodCycle[cycles];
        for (int i = -WARM_UP; i < cycles; i++) {
            PodCycle ours = PodCycle.run(node, Pod.WASMTIME, wasm);
            PodCycle theirs = PodCycle.run(node, Pod.RUNC, program);
            if (i >= 0) {
                atoll[i] = ours;
                runc[i] = theirs;
            }
        }
        add("cri_start_to_exit", atoll, runc, PodCycle::startToExit);
        add("cri_run_sandbox", atoll, runc, PodCycle::sandbox);
        add("cri_whole_pod", atoll, runc, PodCycle::total);
    }

    private void add(
            String name, PodCycle[] atoll, PodCycle[] runc, ToDoubleFunction<PodCycle> of) {
        double[] ours = Arrays.stream(atoll).mapToDouble(of).toArray();
        double[] theirs = Arrays.stream(runc).mapToDouble(of).toArray();
        report(Figure.ofBoth(name, "ms", ours, theirs));
    }

    private void report(Figure figure) {
        figures.add(figure);
        System.out.println(figure.row(Figure.RUNC, Figure.NATIVE, Figure.FLOOR));
    }

    /// What one native pod costs in processes, threads and memory, and what one of Atoll's does.
    private void nativePods() throws IOException {
        Usage before = Usage.of(node);
        Usage theirs = grown(Pod.RUNC, program).minus(before).dividedBy(NATIVE_PODS);
        // The daemon runs since the first cycle, so that this is what pods add.
        Usage idle = Usage.of(node);
        Usage ours = grown(Pod.WASMTIME, wasm).minus(idle).dividedBy(NATIVE_PODS);
        report(
                Figure.ofBoth(
                        "processes_per_pod",
                        "processes",
                        of(ours.processes()),
                        of(theirs.processes())));
        report(
                Figure.ofBoth(
                        "threads_per_pod", "threads", of(ours.threads()), of(theirs.threads())));
        report(Figure.ofBoth("memory_per_pod", "KiB PSS", of(ours.memory()), of(theirs.memory())));
    }

    private static double[] of(double value) {
        return new double[] {value};
    }

    private Usage grown(String handler, String image) throws IOException {
        List<Pod> pods = sleepers(handler, image, NATIVE_PODS, 1);
        try {
            return Usage.of(node);
        } finally {
            pods.forEach(Pod::close);
        }
    }

    /// The daemon's memory with so many sleeping guests.
    private void memory(List<Integer> counts) throws IOException {
        report(Figure.ofAtoll("daemon_memory_0_guests", "KiB PSS", daemonMemory()));
        for (int count : counts) {
            int perPod = count > 500 ? GUESTS_PER_POD : 1;
            List<Pod> pods = sleepers(Pod.WASMTIME, wasm, count / perPod, perPod);
            try {
                report(
                        Figure.ofAtoll(
                                "daemon_memory_%d_guests".formatted(count),
                                "KiB PSS",
                                daemonMemory()));
                report(
                        Figure.ofAtoll(
                                "daemon_threads_%d_guests".formatted(count),
                                "threads",
                                daemonThreads()));
            } finally {
                pods.forEach(Pod::close);
            }
        }
    }

    private List<Pod> sleepers(String handler, String image, int count, int perPod) {
        var pods = new ArrayList<Pod>();
        for (int i = 0; i < count; i++) {
            Pod pod = Pod.run(node, handler);
            pods.add(pod);
            var started = new ArrayList<PodContainer>();
            for (int guest = 0; guest < perPod; guest++) {
                started.add(pod.start(ContainerRequest.of(image).args("sleep")));
            }
            started.forEach(container -> container.awaitOutput("sleeping"));
        }
        return pods;
    }

    private double daemonMemory() throws IOException {
        double sum = 0;
        for (NodeProcess daemon : node.daemons()) {
            sum += daemon.proportionalMemory();
        }
        return sum;
    }

    private double daemonThreads() throws IOException {
        double sum = 0;
        for (NodeProcess daemon : node.daemons()) {
            sum += daemon.threads();
        }
        return sum;
    }

    private void write(int cycles) throws IOException {
        Path root = Checkout.root();
        String json =
                figures.stream()
                        .map(Figure::json)
                        .collect(Collectors.joining(",\n  ", "[\n  ", "\n]\n"));
        Files.createDirectories(root.resolve("target"));
        Files.writeString(root.resolve("target/bench.json"), json);
        String pods =
                figures.stream()
                        .filter(figure -> !figure.isHttp() && !figure.isOfLimits())
                        .map(figure -> figure.row(Figure.RUNC))
                        .collect(Collectors.joining("\n"));
        String servers =
                figures.stream()
                        .filter(Figure::isHttp)
                        .map(figure -> figure.row(Figure.NATIVE, Figure.FLOOR))
                        .collect(Collectors.joining("\n"));
        String limits =
                figures.stream()
                        .filter(Figure::isOfLimits)
                        .map(Figure::row)
                        .collect(Collectors.joining("\n"));
        Files.createDirectories(root.resolve("docs"));
        Files.writeString(
                root.resolve("docs/benchmarks.md"),
                """
                # Benchmarks

                Written by `make bench`, which also leaves the figures in `target/bench.json`. Quote ratios, not times: two runs of
                the same thing on the same machine differ by a fifth. What is not measured is empty here and `null` there.

                containerd %s, %d processors, kernel %s.

                ## Pods

                | name | unit | runs | Atoll | runc | ratio |
                | --- | --- | --- | --- | --- | --- |
                %s

                - `cri_start_to_exit`: from CRI's StartContainer to the status that says exited, asked for every 2 ms; median of %d
                  pods each, Atoll's and runc's in turn. The guest prints one line, as a module and as a static native program.
                - `cri_run_sandbox`: CRI's RunPodSandbox alone, of the same pods.
                - `cri_whole_pod`: RunPodSandbox, CreateContainer, StartContainer, exit seen, StopPodSandbox, RemovePodSandbox.
                - `processes_per_pod`, `threads_per_pod`, `memory_per_pod`: what %d pods with a sleeping guest each add to the node
                  beside containerd, divided by their number. Memory is the proportional set size of all those processes.
                - `daemon_memory_N_guests`, `daemon_threads_N_guests`: the daemon with N sleeping guests. More than 500 are run %d
                  to a pod, since a Linux bridge has no more than 1,023 ports.

                ## HTTP

                | name | unit | runs | Atoll | native | ratio | `wasmtime serve` | ratio |
                | --- | --- | --- | --- | --- | --- | --- | --- |
                %s

                - `http.fresh.cN`: requests a second on N connections that are kept, to a guest that answers twelve bytes, by a fresh
                  instance for each request; `http.reused.cN`: by instances that are used again (`atoll.dev/http-reuse-requests`).
                  `p50` and `p99`: what half and 99 of 100 of these requests were answered within. Of requests a higher ratio is
                  better, of latencies a lower one.
                - native: a program of hyper with two worker threads, on the node and in no pod, that answers the same.
                - `wasmtime serve`: the engine's own server of the same version (`-S cli`, otherwise as it comes), on the node, of the
                  same component; a fresh instance for each request.
                - All four listen on the loopback of the node's network at once, Atoll's in pods of that network, and are asked there by
                  one thread of `wrk`, in turn, %d s each, %d times; medians. The client has to share the processors with the server.

                ## Limits

                | name | unit | runs | Atoll |
                | --- | --- | --- | --- |
                %s

                - `fairness.alone`, `fairness.%d_spinners`: requests a second on one connection to a guest that answers twelve bytes,
                  alone and beside so many guests of the same weight that never stop computing, %d s each. The client shares the
                  processors with all of them.
                - `fairness.….stats`: ContainerStats of that server meanwhile, through containerd, asked %d times.
                - `limits.quota_250m`: the share of a core that a spinning guest with `limits.cpu: 250m` got in %d s.
                - `limits.start`, `limits.compute`: from StartContainer to the exit of a guest that prints a line, and of one that
                  computes %d steps, without limits and with more than they need.
                """
                        .formatted(
                                VERSION,
                                Runtime.getRuntime().availableProcessors(),
                                System.getProperty("os.version"),
                                pods,
                                cycles,
                                NATIVE_PODS,
                                GUESTS_PER_POD,
                                servers,
                                HttpBenchmark.SECONDS,
                                HttpBenchmark.ROUNDS,
                                limits,
                                LimitsBenchmark.SPINNERS,
                                LimitsBenchmark.SECONDS,
                                LimitsBenchmark.ASKED,
                                LimitsBenchmark.SECONDS,
                                LimitsBenchmark.STEPS));
    }
}
