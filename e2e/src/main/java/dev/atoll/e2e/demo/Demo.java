package dev.atoll.e2e.demo;

import dev.atoll.cri.v1.ContainerStatus;
import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.image.Images;
import dev.atoll.e2e.node.Checkout;
import dev.atoll.e2e.node.Command;
import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;

/// Shows the whole way of a program from a file to a pod, on a node of its own, and says what it
/// does.
public final class Demo {
    private static final int MANY = 10;

    private final PrintStream out;
    private int othersAtFirst;

    private Demo(PrintStream out) {
        this.out = out;
    }

    /// Runs the demonstration.
    ///
    /// @param arguments the version of containerd; the default is 2.4.2
    public static void main(String[] arguments) throws Exception {
        new Demo(System.out).run(arguments.length > 0 ? arguments[0] : "2.4.2");
    }

    private void run(String version) throws Exception {
        step(
                "Starting a node: containerd "
                        + version
                        + " and a registry, in namespaces of their own");
        try (Node node = Node.start(version)) {
            var images = new Images(node);
            out.println(
                    node.ctr("default", "version")
                            .orThrow("ask containerd for its version")
                            .strip()
                            .indent(2));

            othersAtFirst = others(node);
            step("Packing hello.p1.wasm as an OCI artifact and pushing it to the registry");
            String image = pushByCommandLine(node);

            step("Pulling it through CRI, as a kubelet does");
            Pod.pull(node, image);

            step("Running a pod with runtime handler '" + Pod.WASMTIME + "' and no command");
            onePod(node, image);

            step("Running " + MANY + " pods at once");
            manyPods(node, images);
            step("Ending the node, with all that runs inside");
        }
        out.println("\nDone: nothing is left of it.");
    }

    /// Pushes as a user does. The node's registry has two doors: one on this machine, to which is
    /// pushed, and one inside.
    private String pushByCommandLine(Node node) {
        String file = Checkout.root().resolve("target/guests/hello.p1.wasm").toString();
        String name = "/demo/hello:1";
        List<String> words =
                List.of(
                        Checkout.distribution().resolve("bin/atoll").toString(),
                        "push",
                        file,
                        node.pushAddress() + name,
                        "--plain-http");
        out.println("  $ " + String.join(" ", words));
        out.print(Command.of(words).run().orThrow("push " + file).indent(2));
        return node.pullAddress() + name;
    }

    private void onePod(Node node, String image) throws IOException {
        try (Pod pod = Pod.run(node)) {
            PodContainer container = pod.create(ContainerRequest.of(image));
            Instant asked = Instant.now();
            container.start();
            Instant written = firstOutput(container);
            ContainerStatus status = container.awaitExit();
            out.print(container.log().text().indent(2));
            out.printf("  exit code %d, %s%n", status.getExitCode(), status.getReason());
            out.printf(
                    "  %.1f ms from the start request to the guest's first output%n",
                    Duration.between(asked, written).toNanos() / 1e6);
            showProcesses(node);
        }
    }

    /// When the guest's first line came, by the time that containerd gave it in the log.
    private static Instant firstOutput(PodContainer container) {
        String log = container.awaitLog(found -> !found.text().isEmpty()).text();
        return Instant.from(DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(log.split(" ", 2)[0]));
    }

    private void manyPods(Node node, Images images)
            throws InterruptedException, ExecutionException, IOException {
        String sleeper = images.push(Artifact.of(Checkout.guest("guest.p1.wasm")));
        Instant before = Instant.now();
        List<Pod> pods = new ArrayList<>();
        try {
            for (Future<Pod> started : startAll(node, sleeper)) {
                pods.add(started.get());
            }
            out.printf(
                    "  %d pods run after %d ms%n",
                    pods.size(), Duration.between(before, Instant.now()).toMillis());
            showProcesses(node);
            out.print(node.atoll("ps").orThrow("list the guests").indent(2));
        } finally {
            pods.forEach(Pod::close);
        }
    }

    private static List<Future<Pod>> startAll(Node node, String image) throws InterruptedException {
        try (var executor = Executors.newFixedThreadPool(MANY)) {
            Callable<Pod> start =
                    () -> {
                        Pod pod = Pod.run(node);
                        pod.start(ContainerRequest.of(image).args("sleep")).awaitOutput("sleeping");
                        return pod;
                    };
            return executor.invokeAll(Collections.nCopies(MANY, start));
        }
    }

    private void showProcesses(Node node) throws IOException {
        out.println("  the node's processes:");
        for (NodeProcess process : node.processes()) {
            String line = process.words().stream().limit(3).collect(Collectors.joining(" "));
            out.printf("    %7d  %-16s %s%n", process.pid(), process.name(), abbreviated(line));
        }
        List<NodeProcess> daemons = node.daemons();
        out.printf("  %d Atoll daemon", daemons.size());
        for (NodeProcess daemon : daemons) {
            out.printf(
                    " with %d threads and %,d KiB of memory (PSS)",
                    daemon.threads(), daemon.proportionalMemory());
        }
        out.printf(
                "; %d other processes more than before the first pod%n",
                others(node) - othersAtFirst);
    }

    private static int others(Node node) {
        return (int) node.processes().stream().filter(process -> !process.isDaemon()).count();
    }

    private static String abbreviated(String line) {
        return line.length() > 90 ? line.substring(0, 87) + "..." : line;
    }

    private void step(String what) {
        out.println("\n== " + what);
        out.flush();
    }
}
