package dev.atoll.oci.containerd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import javax.net.ServerSocketFactory;

/// Lets a grpc-okhttp server listen on a UNIX-domain socket.
final class UnixServerSocketFactory extends ServerSocketFactory {
    private final Path path;

    UnixServerSocketFactory(Path path) {
        this.path = path;
    }

    @Override
    public ServerSocket createServerSocket() throws IOException {
        return new Listener(path);
    }

    @Override
    public ServerSocket createServerSocket(int port) throws IOException {
        return new Listener(path);
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog) throws IOException {
        return new Listener(path);
    }

    @Override
    public ServerSocket createServerSocket(int port, int backlog, InetAddress address)
            throws IOException {
        return new Listener(path);
    }

    private static final class Listener extends ServerSocket {
        private final Path path;
        private final ServerSocketChannel channel;

        Listener(Path path) throws IOException {
            this.path = path;
            this.channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        }

        @Override
        public void bind(SocketAddress ignored, int backlog) throws IOException {
            channel.bind(UnixDomainSocketAddress.of(path));
        }

        @Override
        public SocketAddress getLocalSocketAddress() {
            return UnixDomainSocketAddress.of(path);
        }

        @Override
        public void setReuseAddress(boolean on) {}

        @Override
        public Socket accept() throws IOException {
            return new UnixSocket(channel.accept());
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
