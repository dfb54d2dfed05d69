package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.e2e.pod.ContainerRequest;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/// Sockets of commands: in the pod's network, and nowhere else.
@EveryNode
class SocketsE2E {
    private final TestNode on;

    SocketsE2E(TestNode on) {
        this.on = on;
    }

    /// Returns a command of the guest for WASI 0.2: WASI 0.1 cannot make sockets.
    private ContainerRequest guest(String... words) {
        return on.guestOf("guest.p2.wasm", words);
    }

    @Test
    void aPodTalksToAnotherOverTcp() {
        try (Pod server = on.pod();
                Pod client = on.pod()) {
            PodContainer listening =
                    server.start(guest("tcp-serve", "7001")).awaitOutput("listening");
            PodContainer asking =
                    client.start(guest("tcp-connect", server.address() + ":7001", "hello"));

            assertThat(asking.awaitExit().getExitCode()).as(asking.log().errors()).isZero();
            assertThat(asking.log().output()).isEqualTo("hello\n");
            listening.awaitOutput("5 bytes from " + client.address());
        }
    }

    @Test
    void aPodTalksToAnotherOverUdp() {
        try (Pod server = on.pod();
                Pod client = on.pod()) {
            PodContainer listening =
                    server.start(guest("udp-serve", "7002")).awaitOutput("listening");
            PodContainer asking =
                    client.start(guest("udp-send", server.address() + ":7002", "hello"));

            assertThat(asking.awaitExit().getExitCode()).as(asking.log().errors()).isZero();
            assertThat(asking.log().output()).isEqualTo("hello\n");
            listening.awaitOutput("5 bytes from " + client.address());
        }
    }

    @Test
    void containersOfAPodMeetOnItsLoopbackAndOthersDoNot() {
        try (Pod pod = on.pod();
                Pod other = on.pod()) {
            pod.start(guest("tcp-serve", "7003")).awaitOutput("listening");
            PodContainer neighbour = pod.start(guest("tcp-connect", "127.0.0.1:7003", "near"));
            PodContainer stranger = other.start(guest("tcp-connect", "127.0.0.1:7003", "far"));

            assertThat(neighbour.awaitExit().getExitCode()).isZero();
            assertThat(neighbour.log().output()).isEqualTo("near\n");
            assertThat(stranger.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(stranger.log().errors()).contains("refused");
        }
    }

    @Test
    void aNativeClientTalksToAGuest() throws IOException {
        try (Pod pod = on.pod()) {
            pod.start(guest("tcp-serve", "7004")).awaitOutput("listening");

            try (SocketChannel channel = on.node().network().connect(pod.address(), 7004);
                    InputStream in = Channels.newInputStream(channel)) {
                Channels.newOutputStream(channel).write("native".getBytes(StandardCharsets.UTF_8));
                channel.shutdownOutput();

                assertThat(in).hasBinaryContent("native".getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    @Test
    void aGuestTalksToANativeServer() throws IOException {
        try (Pod pod = on.pod();
                ServerSocketChannel listener = on.node().network().listen("10.96.0.40", 7005)) {
            PodContainer client = pod.start(guest("tcp-connect", "10.96.0.40:7005", "hello"));
            try (SocketChannel channel = listener.accept();
                    InputStream in = Channels.newInputStream(channel)) {
                assertThat(channel.getRemoteAddress().toString()).contains(pod.address());
                assertThat(in).hasBinaryContent("hello".getBytes(StandardCharsets.UTF_8));
                Channels.newOutputStream(channel).write("answer".getBytes(StandardCharsets.UTF_8));
            }

            assertThat(client.awaitExit().getExitCode()).isZero();
            assertThat(client.log().output()).isEqualTo("answer\n");
        }
    }

    @Test
    void aConnectionThatNobodyTakesIsRefused() {
        try (Pod pod = on.pod()) {
            PodContainer client = pod.start(guest("tcp-connect", "10.96.0.41:1", "hello"));

            assertThat(client.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(client.log().errors()).contains("refused");
        }
    }

    @Test
    void aGuestThatIsKilledGivesItsPortBack() {
        try (Pod pod = on.pod()) {
            PodContainer first = pod.start(guest("tcp-serve", "7006")).awaitOutput("listening");
            first.stop(0);
            first.awaitExit();

            pod.start(guest("tcp-serve", "7006")).awaitOutput("listening");

            assertThat(on.node().network().listens(pod.address(), 7006)).isTrue();
        }
    }

    @Test
    void manySocketsAreOpenAtOnce() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(guest("listen-many", "500"));

            assertThat(container.awaitExit().getExitCode()).isZero();
            assertThat(container.log().output()).isEqualTo("500 sockets\n");
        }
    }

    @Test
    void aModuleOfWasi01IsToldThatItCannotMakeSockets() {
        assumeFalse(TestNode.isNative(), "native programs can");
        try (Pod pod = on.pod()) {
            PodContainer container =
                    pod.start(on.guestOf("guest.p1.wasm", "tcp-connect", "10.96.0.41:1", "hello"));

            assertThat(container.awaitExit().getExitCode()).isEqualTo(1);
            assertThat(container.log().errors()).contains("not supported");
        }
    }
}
