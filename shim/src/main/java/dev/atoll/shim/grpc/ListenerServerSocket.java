package dev.atoll.shim.grpc;

import dev.atoll.oci.containerd.UnixSocket;
import dev.atoll.shim.log.LogKeys;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.socket.UnixListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import javax.net.ServerSocketFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A [ServerSocket] over a bound UNIX-domain listener, for grpc-okhttp. Strangers are turned away.
final class ListenerServerSocket extends ServerSocket {
    private static final Logger LOGGER = LoggerFactory.getLogger(ListenerServerSocket.class);

    private final UnixListener listener;
    private final PeerCheck peers;

    ListenerServerSocket(UnixListener listener, PeerCheck peers) throws IOException {
        this.listener = listener;
        this.peers = peers;
    }

    /// The listener is bound already.
    @Override
    public void bind(SocketAddress endpoint) {}

    @Override
    public void bind(SocketAddress endpoint, int backlog) {}

    @Override
    public Socket accept() throws IOException {
        while (true) {
            SocketChannel channel = listener.channel().accept();
            try {
                peers.check(channel);
                return new UnixSocket(channel);
            } catch (IOException e) {
                LOGGER.atWarn()
                        .addKeyValue(LogKeys.ERROR, e.getMessage())
                        .log("connection refused");
                channel.close();
            }
        }
    }

    @Override
    public SocketAddress getLocalSocketAddress() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Override
    public boolean isBound() {
        return true;
    }

    @Override
    public boolean isClosed() {
        return !listener.channel().isOpen();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }

    /// Hands out this one socket.
    static final class Factory extends ServerSocketFactory {
        private final ListenerServerSocket socket;

        Factory(ListenerServerSocket socket) {
            this.socket = socket;
        }

        @Override
        public ServerSocket createServerSocket() {
            return socket;
        }

        @Override
        public ServerSocket createServerSocket(int port) {
            return socket;
        }

        @Override
        public ServerSocket createServerSocket(int port, int backlog) {
            return socket;
        }

        @Override
        public ServerSocket createServerSocket(int port, int backlog, InetAddress address) {
            return socket;
        }
    }
}
