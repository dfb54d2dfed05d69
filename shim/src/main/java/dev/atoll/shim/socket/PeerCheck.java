package dev.atoll.shim.socket;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import jdk.net.ExtendedSocketOptions;

/// Lets in only root and the user that the daemon runs as (SO_PEERCRED, unix(7)). Principals
/// compare by uid. Immutable.
public final class PeerCheck {
    private final Set<UserPrincipal> accepted;

    private PeerCheck(Set<UserPrincipal> accepted) {
        this.accepted = accepted;
    }

    public static PeerCheck ownUserAndRoot() throws IOException {
        UserPrincipal root =
                FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName("0");
        UserPrincipal own = Files.getOwner(Path.of("/proc/self"));
        return new PeerCheck(own.equals(root) ? Set.of(root) : Set.of(root, own));
    }

    /// @throws IOException naming the peer if it is somebody else
    public void check(SocketChannel channel) throws IOException {
        check(channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user());
    }

    void check(UserPrincipal peer) throws IOException {
        if (!accepted.contains(peer)) {
            throw new IOException(
                    "connection of user %s refused: only root and the daemon's own user may connect"
                            .formatted(peer.getName()));
        }
    }
}
