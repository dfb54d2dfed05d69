package dev.atoll.e2e.bench;

import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;

/// How long the life of a pod took, in milliseconds.
///
/// @param sandbox RunPodSandbox
/// @param startToExit from StartContainer to the exit as CRI shows it
/// @param total from before RunPodSandbox until after RemovePodSandbox
record PodCycle(double sandbox, double startToExit, double total) {
    static PodCycle run(Node node, String handler, String image) {
        long begun = System.nanoTime();
        double sandbox;
        double startToExit;
        try (Pod pod = Pod.run(node, handler)) {
            sandbox = since(begun);
            PodContainer container = pod.create(ContainerRequest.of(image).args("hello"));
            long started = System.nanoTime();
            container.start();
            int code = container.awaitExit().getExitCode();
            startToExit = since(started);
            if (code != 0) {
                throw new IllegalStateException(
                        "the guest ended with " + code + " under " + handler);
            }
        }
        return new PodCycle(sandbox, startToExit, since(begun));
    }

    private static double since(long nanos) {
        return (System.nanoTime() - nanos) / 1e6;
    }
}
