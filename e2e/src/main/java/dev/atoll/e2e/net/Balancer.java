package dev.atoll.e2e.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A stable address before pods that come and go, as a Service of Kubernetes is one: a new
/// connection goes to the pod of the moment, one that exists stays where it is.
public final class Balancer implements AutoCloseable {
    private static final int BUFFER = 64 * 1024;

    private final NetworkNamespace network;
    private final ServerSocketChannel listener;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private volatile InetSocketAddress pod;

    private Balancer(
            NetworkNamespace network, ServerSocketChannel listener, InetSocketAddress pod) {
        this.network = network;
        this.listener = listener;
        this.pod = pod;
    }

    /// Listens on an address, and sends connections to a pod.
    public static Balancer listen(
            NetworkNamespace network, String host, int port, InetSocketAddress pod) {
        var balancer = new Balancer(network, network.listen(host, port), pod);
        balancer.threads.execute(balancer::accept);
        return balancer;
    }

    /// Sends new connections to another pod.
    public void switchTo(InetSocketAddress other) {
        pod = other;
    }

    private void accept() {
        while (listener.isOpen()) {
            try {
                SocketChannel client = listener.accept();
                threads.execute(() -> serve(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(SocketChannel client) {
        try (client;
                SocketChannel server = network.connect(pod.getHostString(), pod.getPort())) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            var answers = threads.submit(() -> copy(server, client));
            copy(client, server);
            answers.get();
        } catch (Exception e) {
            // Its client sees the connection end, and says so.
        }
    }

    private static void copy(SocketChannel from, SocketChannel to) {
        var buffer = ByteBuffer.allocate(BUFFER);
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
            to.shutdownOutput();
        } catch (IOException e) {
            close(from);
            close(to);
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new IllegalStateException("close a connection", e);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        threads.shutdownNow();
    }
}
