package dev.atoll.e2e.net;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;

/// A native HTTP server inside a node, which guests ask.
///
/// It answers `/bytes/N` with so many bytes, and everything else with its host and path.
public final class Origin implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger requests = new AtomicInteger();

    private Origin(HttpServer server) {
        this.server = server;
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    /// Starts one without TLS.
    public static Origin start(NetworkNamespace node, String host, int port) {
        return new Origin(node.call(() -> HttpServer.create(new InetSocketAddress(host, port), 0)));
    }

    /// Starts one with TLS.
    public static Origin start(
            NetworkNamespace node, String host, int port, SSLContext certificate) {
        HttpsServer server =
                node.call(() -> HttpsServer.create(new InetSocketAddress(host, port), 0));
        server.setHttpsConfigurator(new HttpsConfigurator(certificate));
        return new Origin(server);
    }

    private void answer(HttpExchange exchange) throws IOException {
        requests.incrementAndGet();
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (path.startsWith("/bytes/")) {
                sendZeros(exchange, Integer.parseInt(path.substring("/bytes/".length())));
                return;
            }
            String host = exchange.getRequestHeaders().getFirst("Host");
            byte[] body = (host + " " + path + "\n").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static void sendZeros(HttpExchange exchange, int count) throws IOException {
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            var part = new byte[64 * 1024];
            for (int left = count; left > 0; left -= part.length) {
                out.write(part, 0, Math.min(left, part.length));
            }
        }
    }

    /// Returns how often it was asked.
    public int requests() {
        return requests.get();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
