package dev.atoll.e2e.net;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// A connection to an HTTP/1.1 server, on which anything may be sent: it adds nothing and hides
/// nothing, as clients would.
public final class HttpConnection implements AutoCloseable {
    private static final Duration READ_DEADLINE = Duration.ofSeconds(30);
    private static final int LONGEST_LINE = 1 << 20;

    private final SocketChannel channel;
    private final InputStream in;
    private final OutputStream out;

    private HttpConnection(SocketChannel channel) throws IOException {
        this.channel = channel;
        channel.socket().setSoTimeout((int) READ_DEADLINE.toMillis());
        this.in = new BufferedInputStream(channel.socket().getInputStream());
        this.out = channel.socket().getOutputStream();
    }

    /// Connects.
    public static HttpConnection open(NetworkNamespace network, String host, int port)
            throws IOException {
        SocketChannel channel = network.connect(host, port);
        try {
            return new HttpConnection(channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /// Returns what a GET request looks like, with further headers as lines of their own.
    public static String get(String target, String... headers) {
        return head("GET", target, headers);
    }

    /// Returns what a request without a body, or its beginning, looks like.
    public static String head(String method, String target, String... headers) {
        var text = new StringBuilder(method + " " + target + " HTTP/1.1\r\nHost: atoll.test\r\n");
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        return text.append("\r\n").toString();
    }

    /// Sends a request without a body and returns the answer.
    public HttpReply exchange(String request) throws IOException {
        send(request);
        return reply();
    }

    /// Sends a request with a body and returns the answer.
    public HttpReply post(String target, String body) throws IOException {
        return exchange(head("POST", target, "Content-Length: " + body.length()) + body);
    }

    /// Sends bytes, given as characters.
    public void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /// Sends bytes.
    public void send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /// Whether anything has come that was not read yet.
    public boolean hasAnswer() throws IOException {
        return in.available() > 0;
    }

    /// Reads an answer with its body.
    public HttpReply reply() throws IOException {
        HttpReply head = replyHead();
        return withBody(head, bodyIsAllowed(head.status()));
    }

    /// Reads an answer that has no body whatever its headers say: the one to HEAD.
    public HttpReply replyHead() throws IOException {
        String line = line();
        String[] words = line.split(" ", 3);
        if (words.length < 2 || !words[0].startsWith("HTTP/1.")) {
            throw new IOException("not an HTTP/1 answer: " + line);
        }
        return new HttpReply(Integer.parseInt(words[1]), fields(), "", Map.of());
    }

    private static boolean bodyIsAllowed(int status) {
        return status >= 200 && status != 204 && status != 304;
    }

    private HttpReply withBody(HttpReply head, boolean body) throws IOException {
        if (!body) {
            return head;
        }
        if (head.isChunked()) {
            var content = new ByteArrayOutputStream();
            for (byte[] chunk = chunk(); chunk.length > 0; chunk = chunk()) {
                content.writeBytes(chunk);
            }
            return new HttpReply(head.status(), head.headers(), text(content), fields());
        }
        byte[] content =
                head.header("content-length").isPresent()
                        ? exactly(Integer.parseInt(head.header("content-length").get()))
                        : in.readAllBytes();
        return new HttpReply(
                head.status(),
                head.headers(),
                new String(content, StandardCharsets.ISO_8859_1),
                Map.of());
    }

    private static String text(ByteArrayOutputStream content) {
        return content.toString(StandardCharsets.ISO_8859_1);
    }

    /// Reads the next chunk of a body whose head was read; the last one is empty.
    public byte[] chunk() throws IOException {
        int size = Integer.parseInt(line().split(";", 2)[0].strip(), 16);
        byte[] content = exactly(size);
        if (size > 0) {
            var _ = line();
        }
        return content;
    }

    /// Reads so many bytes.
    public byte[] exactly(int size) throws IOException {
        byte[] content = in.readNBytes(size);
        if (content.length < size) {
            throw new EOFException(
                    "the connection ended after %d of %d bytes".formatted(content.length, size));
        }
        return content;
    }

    /// Waits until the server has closed the connection, reading what still comes.
    ///
    /// @return what came
    public String readToEnd() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /// Says that nothing more is sent.
    public void endOfRequests() throws IOException {
        channel.shutdownOutput();
    }

    private Map<String, List<String>> fields() throws IOException {
        var fields = new TreeMap<String, List<String>>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            String[] pair = line.split(":", 2);
            fields.computeIfAbsent(pair[0].toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
                    .add(pair.length > 1 ? pair[1].strip() : "");
        }
        return fields;
    }

    private String line() throws IOException {
        var text = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("the connection ended after '" + text + "'");
            }
            if (text.length() > LONGEST_LINE) {
                throw new IOException("a line longer than " + LONGEST_LINE + " bytes");
            }
            text.append((char) b);
        }
        return text.toString().stripTrailing();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
