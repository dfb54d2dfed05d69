package dev.atoll.shim.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipalLookupService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PeerCheckTest {
    @TempDir Path directory;

    @Test
    void rootIsLetInAndStrangersAreNot() throws IOException {
        UserPrincipalLookupService users = FileSystems.getDefault().getUserPrincipalLookupService();
        PeerCheck check = PeerCheck.ownUserAndRoot();

        check.check(users.lookupPrincipalByName("0"));
        assertThatThrownBy(() -> check.check(users.lookupPrincipalByName("54321")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("54321");
    }

    @Test
    void theOwnProcessIsLetIn() throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
        try (ServerSocketChannel server =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address)) {
            try (SocketChannel client = SocketChannel.open(address);
                    SocketChannel accepted = server.accept()) {
                PeerCheck.ownUserAndRoot().check(accepted);
                assertThat(client.isConnected()).isTrue();
            }
        }
    }

    @Test
    void aStaleSocketIsReplacedAndAnythingElseIsNot() throws IOException {
        Path stale = directory.resolve("stale");
        ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(stale))
                .close();
        assertThat(stale).exists();
        UnixListener.bind(stale).close();
        assertThat(stale).doesNotExist();

        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> UnixListener.bind(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in the way");
        assertThatThrownBy(() -> UnixListener.bind(directory.resolve("x".repeat(120))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("too long");
    }
}
