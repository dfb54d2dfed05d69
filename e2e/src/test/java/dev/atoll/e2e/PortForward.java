package dev.atoll.e2e;

import dev.atoll.e2e.net.ChannelSocket;
import dev.atoll.e2e.net.ChannelSocket.Message;
import dev.atoll.e2e.net.NetworkNamespace;
import java.io.IOException;
import java.net.URI;

/// What `kubectl port-forward` does: channel 0 is for data and 1 for errors, and the first message
/// of each is the port's number.
record PortForward(ChannelSocket socket) implements AutoCloseable {
    private static final int DATA = 0;
    private static final int PORT_BYTES = 2;

    static PortForward open(NetworkNamespace network, URI url, int port) throws IOException {
        return new PortForward(ChannelSocket.open(network, url, "?port=" + port));
    }

    /// Sends text to the port and returns all that comes back until the port's end is closed.
    String exchange(String text) throws IOException {
        socket.send(DATA, text);
        var answer = new StringBuilder();
        boolean portWasRead = false;
        for (Message message = socket.read(); !message.isEnd(); message = socket.read()) {
            if (message.channel() != DATA) {
                if (message.text().length() > PORT_BYTES) {
                    throw new IOException("forwarding failed: " + message.text());
                }
            } else if (portWasRead) {
                answer.append(message.text());
            } else {
                portWasRead = true;
            }
        }
        return answer.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
