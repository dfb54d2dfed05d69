package dev.atoll.oci.containerd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import javax.net.SocketFactory;

/// Connects every socket to one path, whatever host and port are asked for. Immutable.
public final class UnixSocketFactory extends SocketFactory {
    private final Path path;

    public UnixSocketFactory(Path path) {
        this.path = path;
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return UnixSocket.connect(path);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort)
            throws IOException {
        return UnixSocket.connect(path);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return UnixSocket.connect(path);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort)
            throws IOException {
        return UnixSocket.connect(path);
    }
}
