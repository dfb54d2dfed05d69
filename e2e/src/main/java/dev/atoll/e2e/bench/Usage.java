package dev.atoll.e2e.bench;

import dev.atoll.e2e.node.Node;
import dev.atoll.e2e.node.NodeProcess;
import java.io.IOException;

/// What the processes of a node use beside containerd, its tools and the node's own.
///
/// @param processes how many there are
/// @param threads of all of them
/// @param memory their proportional set size in KiB
record Usage(double processes, double threads, double memory) {
    static Usage of(Node node) throws IOException {
        double processes = 0;
        double threads = 0;
        double memory = 0;
        for (NodeProcess process : node.processes()) {
            if (!process.name().equals("containerd") && !process.name().equals("docker-registry")) {
                processes++;
                threads += process.threads();
                memory += process.proportionalMemory();
            }
        }
        return new Usage(processes, threads, memory);
    }

    Usage minus(Usage other) {
        return new Usage(
                processes - other.processes, threads - other.threads, memory - other.memory);
    }

    Usage dividedBy(int count) {
        return new Usage(processes / count, threads / count, memory / count);
    }
}
