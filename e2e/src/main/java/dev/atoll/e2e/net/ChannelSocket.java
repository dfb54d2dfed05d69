package dev.atoll.e2e.net;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A websocket to containerd's streaming server, as `kubectl` opens one: each message begins with
/// the number of its channel.
///
/// Sending and reading may be done by two threads.
public final class ChannelSocket implements AutoCloseable {
    private static final String PROTOCOL = "v4.channel.k8s.io";
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PING = 9;
    private static final int LONGEST = 125;

    private final HttpConnection connection;

    private ChannelSocket(HttpConnection connection) {
        this.connection = connection;
    }

    /// A message: what it says, and on which channel.
    ///
    /// @param channel the channel; -1 for the end of the connection
    /// @param text the bytes, as characters
    public record Message(int channel, String text) {
        /// Whether nothing follows.
        public boolean isEnd() {
            return channel < 0;
        }
    }

    /// Connects.
    ///
    /// @param query what follows the path of the address, empty or beginning with `?`
    public static ChannelSocket open(NetworkNamespace network, URI url, String query)
            throws IOException {
        var connection = HttpConnection.open(network, url.getHost(), url.getPort());
        connection.send(
                HttpConnection.get(
                        url.getPath() + query,
                        "Connection: Upgrade",
                        "Upgrade: websocket",
                        "Origin: http://" + url.getAuthority(),
                        "Sec-WebSocket-Version: 13",
                        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                        "Sec-WebSocket-Protocol: " + PROTOCOL));
        HttpReply reply = connection.replyHead();
        if (reply.status() != 101) {
            connection.close();
            throw new IOException("no upgrade to a websocket: " + reply);
        }
        return new ChannelSocket(connection);
    }

    /// Sends bytes, given as characters, in as many messages as they need.
    public void send(int channel, String text) throws IOException {
        byte[] content = text.getBytes(StandardCharsets.ISO_8859_1);
        for (int at = 0; at < content.length; at += LONGEST - 1) {
            frame(
                    channel,
                    Arrays.copyOfRange(content, at, Math.min(at + LONGEST - 1, content.length)));
        }
    }

    private void frame(int channel, byte[] content) throws IOException {
        // A client's messages are masked; zeros are a mask, too.
        var frame = new ByteArrayOutputStream();
        frame.write(0x80 | BINARY);
        frame.write(0x80 | (content.length + 1));
        frame.writeBytes(new byte[4]);
        frame.write(channel);
        frame.writeBytes(content);
        connection.send(frame.toByteArray());
    }

    /// Waits for the next message that is not empty.
    public Message read() throws IOException {
        while (true) {
            byte[] head = connection.exactly(2);
            int kind = head[0] & 0xf;
            byte[] content = connection.exactly(length(head[1] & 0x7f));
            if (kind == CLOSE) {
                return new Message(-1, "");
            }
            if (kind != PING && content.length > 1) {
                return new Message(
                        content[0],
                        new String(content, 1, content.length - 1, StandardCharsets.ISO_8859_1));
            }
        }
    }

    private int length(int announced) throws IOException {
        int bytes = announced == 127 ? 8 : announced == 126 ? 2 : 0;
        if (bytes == 0) {
            return announced;
        }
        int length = 0;
        for (byte digit : connection.exactly(bytes)) {
            length = length << 8 | (digit & 0xff);
        }
        return length;
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
