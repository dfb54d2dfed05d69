package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Many pods on one node.
@EveryNode
class ManyPodsE2E {
    private static final int PODS = Integer.getInteger("atoll.e2e.pods", 200);
    private static final int WARM_UP = 20;
    private static final int AT_A_TIME = 4;

    private final TestNode on;

    ManyPodsE2E(TestNode on) {
        this.on = on;
    }

    @Test
    void tenPodsRunAtOnceInOneProcess() throws Exception {
        assumeFalse(TestNode.isNative(), "a native pod has processes");
        int before = othersThanDaemons();
        List<Pod> pods = inParallel(10, _ -> on.pod());
        try {
            for (Pod pod : pods) {
                pod.start(on.guest("sleep")).awaitOutput("sleeping");
            }

            assertThat(on.node().daemons()).hasSize(1);
            assertThat(othersThanDaemons()).isEqualTo(before);
        } finally {
            pods.forEach(Pod::close);
        }
    }

    private int othersThanDaemons() {
        return (int) on.node().processes().stream().filter(process -> !process.isDaemon()).count();
    }

    @Test
    void tenPodsPrintEachItsOwn() throws Exception {
        List<String> outputs = inParallel(10, this::printed);

        assertThat(outputs)
                .containsExactlyElementsOf(
                        IntStream.range(0, 10).mapToObj(number -> "pod " + number + "\n").toList());
    }

    private String printed(int number) {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("echo", "pod", Integer.toString(number)));
            container.awaitExit();
            return container.log().output();
        }
    }

    @Test
    void nothingIsLeftOfPods() throws Exception {
        var _ = inParallel(WARM_UP, this::printed);
        TreeMap<String, Integer> before = Leftovers.of(on.node()).counts();

        var _ = inParallel(PODS, this::printed);

        Leftovers.of(on.node()).awaitNoMoreThan(before);
        assertThat(on.node().daemons().stream().map(NodeProcess::pid).count())
                .isEqualTo(TestNode.isNative() ? 0 : 1);
    }

    private interface Work<T> {
        T of(int number) throws Exception;
    }

    /// Does the work for each number below the count, a few at a time, and returns the results in
    /// order.
    private static <T> List<T> inParallel(int count, Work<T> work)
            throws InterruptedException, ExecutionException {
        try (var executor =
                Executors.newFixedThreadPool(Math.min(count, count == 10 ? count : AT_A_TIME))) {
            List<Callable<T>> calls =
                    IntStream.range(0, count)
                            .<Callable<T>>mapToObj(number -> () -> work.of(number))
                            .toList();
            var results = new ArrayList<T>();
            for (Future<T> future : executor.invokeAll(calls)) {
                results.add(future.get());
            }
            return results;
        }
    }
}
