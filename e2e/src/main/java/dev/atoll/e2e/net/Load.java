package dev.atoll.e2e.net;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Clients that keep asking a server for `/` on connections that they keep, and never ask again
/// what failed.
public final class Load implements AutoCloseable {
    private static final int SECONDS = 60;

    private final NetworkNamespace network;
    private final String host;
    private final int port;
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger connections = new AtomicInteger();
    private final Collection<String> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean ended;
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();

    private Load(NetworkNamespace network, String host, int port) {
        this.network = network;
        this.host = host;
        this.port = port;
    }

    /// Starts a number of clients.
    public static Load start(NetworkNamespace network, String host, int port, int clients) {
        var load = new Load(network, host, port);
        for (int i = 0; i < clients; i++) {
            load.clients.execute(load::client);
        }
        load.clients.shutdown();
        return load;
    }

    private void client() {
        while (!ended) {
            try (var connection = HttpConnection.open(network, host, port)) {
                connections.incrementAndGet();
                oneConnection(connection);
            } catch (IOException | RuntimeException e) {
                failures.add(e.toString());
            }
        }
    }

    private void oneConnection(HttpConnection connection) throws IOException {
        while (!ended) {
            HttpReply reply = connection.exchange(HttpConnection.get("/"));
            if (reply.status() == 200 && reply.body().equals("Hello world\n")) {
                answered.incrementAndGet();
            } else {
                failures.add(reply.toString());
            }
            if (reply.closes()) {
                return;
            }
        }
    }

    /// Returns how many requests were answered well so far.
    public int answered() {
        return answered.get();
    }

    /// Returns how many connections were made so far.
    public int connections() {
        return connections.get();
    }

    /// Returns what went wrong so far, one line each.
    public List<String> failures() {
        return List.copyOf(failures);
    }

    /// Asks nothing more, and waits for the answers that are due.
    public void end() throws InterruptedException {
        ended = true;
        if (!clients.awaitTermination(SECONDS, TimeUnit.SECONDS)) {
            failures.add("clients that still wait for an answer after " + SECONDS + " s");
        }
    }

    @Override
    public void close() {
        clients.shutdownNow();
    }
}
