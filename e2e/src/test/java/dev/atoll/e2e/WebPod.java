package dev.atoll.e2e;

import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import dev.atoll.e2e.pod.PodRequest;
import java.io.IOException;
import java.net.InetSocketAddress;

/// A pod whose one container is an HTTP server. A container that is started listens: nobody waits
/// here.
///
/// @param on the node
/// @param pod the pod
/// @param container the server
/// @param port where it listens
record WebPod(TestNode on, Pod pod, PodContainer container, int port) implements AutoCloseable {
    /// The port when nothing says another.
    static final int PORT = 8080;

    /// Runs one without settings.
    static WebPod run(TestNode on) {
        return run(on, TestNode.request());
    }

    /// Runs one with the pod's settings.
    static WebPod run(TestNode on, PodRequest request) {
        return run(on, request, on.server());
    }

    /// Runs one with the pod's and the container's settings.
    static WebPod run(TestNode on, PodRequest request, ContainerRequest server) {
        Pod pod = on.pod(request);
        try {
            return new WebPod(on, pod, pod.start(server), PORT);
        } catch (RuntimeException e) {
            pod.close();
            throw e;
        }
    }

    /// Returns where it is reached.
    InetSocketAddress address() {
        return new InetSocketAddress(pod.address(), port);
    }

    /// Connects to it from the node.
    HttpConnection connect() throws IOException {
        return HttpConnection.open(on.node().network(), pod.address(), port);
    }

    /// Asks it on a connection of its own.
    HttpReply get(String target, String... headers) throws IOException {
        return exchange(HttpConnection.get(target, headers));
    }

    /// Sends it a request on a connection of its own.
    HttpReply exchange(String request) throws IOException {
        try (HttpConnection connection = connect()) {
            return connection.exchange(request);
        }
    }

    @Override
    public void close() {
        pod.close();
    }
}
