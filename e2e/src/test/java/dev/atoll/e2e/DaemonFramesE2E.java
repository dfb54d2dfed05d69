package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.google.protobuf.ByteString;
import dev.atoll.api.ttrpc.KeyValue;
import dev.atoll.api.ttrpc.Request;
import dev.atoll.api.ttrpc.Response;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.Pod;
import dev.atoll.e2e.pod.PodContainer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Bytes on the daemon's socket that are no calls: whoever sends them is answered or hung up on,
/// and the daemon serves on.
@EveryNode
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DaemonFramesE2E {
    private static final int REQUEST = 1;
    private static final int RESPONSE = 2;
    private static final int DATA = 3;
    private static final int NOT_FOUND = 5;
    private static final int RESOURCE_EXHAUSTED = 8;
    private static final int ROUNDS = 300;

    private final TestNode on;

    @SuppressWarnings("NullAway.Init") // Set before each test.
    private NodeProcess daemon;

    private int files;

    DaemonFramesE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void aDaemonRuns() throws IOException {
        assumeFalse(TestNode.isNative(), "a native pod has no daemon");
        assertServes();
        assertThat(on.node().daemons()).hasSize(1);
        daemon = on.node().daemons().getFirst();
        files = daemon.openFiles();
    }

    @AfterEach
    void itServesOnAndHoldsNoConnection() {
        if (TestNode.isNative()) {
            return;
        }
        assertServes();
        assertThat(on.node().daemons()).containsExactly(daemon);
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(daemon.openFiles()).isLessThanOrEqualTo(files));
    }

    private void assertServes() {
        try (Pod pod = on.pod()) {
            PodContainer container = pod.start(on.guest("echo", "served"));
            container.awaitExit();
            assertThat(container.log().output()).isEqualTo("served\n");
        }
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(
                UnixDomainSocketAddress.of(on.node().path("/run/atoll/ttrpc.sock")));
    }

    /// Writes, says that there is no more, and reads to the end; a daemon that hangs up while it is
    /// written to is as good.
    private void sendAndHangUp(byte[] bytes) throws IOException {
        try (SocketChannel channel = connect()) {
            try {
                Channels.newOutputStream(channel).write(bytes);
                channel.shutdownOutput();
                Channels.newInputStream(channel).transferTo(OutputStream.nullOutputStream());
            } catch (IOException e) {
                assertThat(e).hasMessageMatching("(?i).*(broken pipe|connection reset).*");
            }
        }
    }

    private static byte[] frame(long length, int stream, int type, byte[] payload) {
        return ByteBuffer.allocate(10 + payload.length)
                .putInt((int) length)
                .putInt(stream)
                .put((byte) type)
                .put((byte) 0)
                .put(payload)
                .array();
    }

    private static byte[] frame(int stream, int type, byte[] payload) {
        return frame(payload.length, stream, type, payload);
    }

    /// A call that is answered by "not found".
    private static byte[] soundCall(int stream) {
        byte[] payload =
                Request.newBuilder()
                        .setService("containerd.task.v3.Task")
                        .setMethod("State")
                        .setTimeoutNano(Duration.ofSeconds(5).toNanos())
                        .addMetadata(
                                KeyValue.newBuilder()
                                        .setKey("containerd-namespace-ttrpc")
                                        .setValue("default"))
                        // StateRequest.id = 1: "none"
                        .setPayload(ByteString.copyFromUtf8("\n\4none"))
                        .build()
                        .toByteArray();
        return frame(stream, REQUEST, payload);
    }

    private record Answer(int stream, int code, String message) {}

    private static Answer read(InputStream in) throws IOException {
        var data = new DataInputStream(in);
        int length = data.readInt();
        int stream = data.readInt();
        assertThat(data.readByte()).isEqualTo((byte) RESPONSE);
        var _ = data.readByte();
        Response response = Response.parseFrom(data.readNBytes(length));
        return new Answer(
                stream, response.getStatus().getCode(), response.getStatus().getMessage());
    }

    @Test
    void garbageIsHungUpOn() throws IOException {
        var random = new Random(1);
        for (int i = 0; i < ROUNDS; i++) {
            byte[] garbage = new byte[1 + random.nextInt(5000)];
            random.nextBytes(garbage);
            sendAndHangUp(garbage);
        }
    }

    @Test
    void garbageInSoundFramesIsAnswered() throws IOException {
        var random = new Random(2);
        for (int i = 0; i < ROUNDS; i++) {
            var frames = new ByteArrayOutputStream();
            for (int stream = 1; stream < 20; stream++) {
                byte[] payload = new byte[random.nextInt(300)];
                random.nextBytes(payload);
                frames.writeBytes(frame(random.nextInt(), 1 + random.nextInt(3), payload));
            }
            sendAndHangUp(frames.toByteArray());
        }
    }

    @Test
    void aDamagedCallIsAnsweredOrHungUpOn() throws IOException {
        var random = new Random(3);
        for (int i = 0; i < ROUNDS; i++) {
            byte[] call = soundCall(1);
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                call[random.nextInt(call.length)] ^= (byte) (1 << random.nextInt(8));
            }
            sendAndHangUp(call);
        }
    }

    @Test
    void aCallThatIsCutOffIsForgotten() throws IOException {
        byte[] call = soundCall(1);
        for (int length = 0; length < call.length; length++) {
            sendAndHangUp(Arrays.copyOf(call, length));
        }
    }

    @Test
    void anOversizedFrameIsAnsweredAndTheNextCallWorks() throws IOException {
        try (SocketChannel channel = connect()) {
            OutputStream out = Channels.newOutputStream(channel);
            InputStream in = Channels.newInputStream(channel);
            out.write(frame(1, REQUEST, new byte[(4 << 20) + 1]));
            out.write(soundCall(3));

            Answer refused = read(in);
            assertThat(refused.code()).isEqualTo(RESOURCE_EXHAUSTED);
            assertThat(refused.message()).contains("4194305").contains("4194304");
            assertThat(read(in).code()).isEqualTo(NOT_FOUND);
        }
    }

    @Test
    void aLengthThatNoFrameHasIsHungUpOn() throws IOException {
        for (long length : new long[] {1L << 24, 1L << 31, 0xffff_ffffL}) {
            try (SocketChannel channel = connect()) {
                Channels.newOutputStream(channel).write(frame(length, 1, REQUEST, new byte[0]));
                assertThat(Channels.newInputStream(channel).readAllBytes()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        REQUEST + ", 2, is even",
        REQUEST + ", 0, is even",
        REQUEST + ", 1, was used or passed over",
        RESPONSE + ", 7, sends no responses",
        DATA + ", 7, is not open for data"
    })
    void aFrameOutOfOrderIsAnsweredAndTheNextCallWorks(int type, int stream, String words)
            throws IOException {
        try (SocketChannel channel = connect()) {
            OutputStream out = Channels.newOutputStream(channel);
            InputStream in = Channels.newInputStream(channel);
            out.write(soundCall(1));
            assertThat(read(in).code()).isEqualTo(NOT_FOUND);

            out.write(frame(stream, type, new byte[3]));
            Answer refused = read(in);
            assertThat(refused.stream()).isEqualTo(stream);
            assertThat(refused.message()).contains(words);

            out.write(soundCall(9));
            assertThat(read(in))
                    .extracting(Answer::stream, Answer::code)
                    .containsExactly(9, NOT_FOUND);
        }
    }
}
