package dev.atoll.e2e;

import dev.atoll.e2e.net.HttpConnection;
import dev.atoll.e2e.net.HttpReply;
import dev.atoll.e2e.net.NetworkNamespace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/// A client of containerd's streaming server, as `kubectl port-forward` is one over a websocket:
/// each message begins with the number of its channel, 0 for data and 1 for errors, and the first
/// message of each channel is the port's number.
///
/// @param connection the connection after its upgrade
record PortForward(HttpConnection connection) implements AutoCloseable {
    private static final String PROTOCOL = "v4.channel.k8s.io";
    private static final int DATA = 0;
    private static final int BINARY = 2;
    private static final int CLOSE = 8;
    private static final int PORT_BYTES = 2;

    static PortForward open(NetworkNamespace network, URI url, int port) throws IOException {
        var connection = HttpConnection.open(network, url.getHost(), url.getPort());
        connection.send(
                HttpConnection.get(
                        url.getPath() + "?port=" + port,
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
        return new PortForward(connection);
    }

    /// Sends text to the port and returns all that comes back until the port's end is closed.
    String exchange(String text) throws IOException {
        sendData(text.getBytes(StandardCharsets.ISO_8859_1));
        var answer = new ByteArrayOutputStream();
        boolean portWasRead = false;
        for (Message message = read(); message.kind() != CLOSE; message = read()) {
            if (message.channel() != DATA) {
                if (message.content().length > PORT_BYTES) {
                    throw new IOException("forwarding failed: " + message.text());
                }
            } else if (portWasRead) {
                answer.writeBytes(message.content());
            } else {
                portWasRead = true;
            }
        }
        return answer.toString(StandardCharsets.ISO_8859_1);
    }

    private void sendData(byte[] content) throws IOException {
        int length = content.length + 1;
        if (length > 125) {
            throw new IllegalArgumentException("a longer text than this client needs");
        }
        // A client's messages are masked; zeros are a mask, too.
        var frame = new ByteArrayOutputStream();
        frame.write(0x80 | BINARY);
        frame.write(0x80 | length);
        frame.writeBytes(new byte[4]);
        frame.write(DATA);
        frame.writeBytes(content);
        connection.send(frame.toByteArray());
    }

    private Message read() throws IOException {
        byte[] head = connection.exactly(2);
        int length = head[1] & 0x7f;
        if (length == 126) {
            byte[] more = connection.exactly(2);
            length = (more[0] & 0xff) << 8 | (more[1] & 0xff);
        } else if (length == 127) {
            throw new IOException("a longer message than this client reads");
        }
        return new Message(head[0] & 0xf, connection.exactly(length));
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }

    @SuppressWarnings("ArrayRecordComponent")
    private record Message(int kind, byte[] bytes) {
        int channel() {
            return bytes.length == 0 ? DATA : bytes[0];
        }

        byte[] content() {
            return java.util.Arrays.copyOfRange(bytes, Math.min(1, bytes.length), bytes.length);
        }

        String text() {
            return new String(content(), StandardCharsets.UTF_8);
        }
    }
}
