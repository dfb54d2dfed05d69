package dev.atoll.shim.ttrpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import dev.atoll.api.ttrpc.Request;
import dev.atoll.api.ttrpc.Response;
import dev.atoll.shim.rpc.Responder;
import dev.atoll.shim.rpc.RpcMethod;
import dev.atoll.shim.rpc.RpcService;
import dev.atoll.shim.socket.PeerCheck;
import dev.atoll.shim.status.NotFound;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TtrpcServerTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir Path directory;

    private final Queue<Responder<StringValue>> parked = new ConcurrentLinkedQueue<>();
    private final CountDownLatch gate = new CountDownLatch(1);
    private Path socket = Path.of("unset");
    private AutoCloseable server = () -> {};

    @BeforeEach
    void start() throws IOException {
        socket = directory.resolve("run/t.sock");
        server = TtrpcServer.start(socket, PeerCheck.ownUserAndRoot(), List.of(service()));
    }

    @AfterEach
    void stop() throws Exception {
        gate.countDown();
        server.close();
    }

    private RpcService service() {
        StringValue text = StringValue.getDefaultInstance();
        return new RpcService(
                "test.Echo",
                List.of(
                        RpcMethod.quick("Echo", text, text, (_, request) -> request),
                        RpcMethod.quick(
                                "Namespace",
                                text,
                                text,
                                (context, _) -> StringValue.of(context.namespace())),
                        RpcMethod.quick(
                                "Missing",
                                text,
                                text,
                                (_, _) -> {
                                    throw new NotFound("no such thing");
                                }),
                        RpcMethod.blocking(
                                "Slow",
                                text,
                                text,
                                (_, request) -> {
                                    awaitGate();
                                    return request;
                                }),
                        RpcMethod.deferred(
                                "Park", text, text, (_, _, responder) -> parked.add(responder))));
    }

    private void awaitGate() {
        try {
            assertThat(gate.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private TtrpcClient client() throws IOException {
        return TtrpcClient.connect(socket, "k8s.io");
    }

    private static String echo(TtrpcClient client, String text) throws Exception {
        return StringValue.parseFrom(client.call("test.Echo", "Echo", StringValue.of(text), LONG))
                .getValue();
    }

    @Test
    void callsAreAnsweredAndCarryTheNamespace() throws Exception {
        try (TtrpcClient client = client()) {
            assertThat(echo(client, "hello")).isEqualTo("hello");
            ByteString answer =
                    client.call("test.Echo", "Namespace", Empty.getDefaultInstance(), LONG);
            assertThat(StringValue.parseFrom(answer).getValue()).isEqualTo("k8s.io");
        }
    }

    @Test
    void errorsCarryTheirCodes() throws Exception {
        try (TtrpcClient client = client()) {
            assertCode(client, "test.Echo", "Missing", 5);
            assertCode(client, "test.Echo", "Nothing", 12);
            assertCode(client, "test.Nobody", "Echo", 12);
            assertThat(echo(client, "still here")).isEqualTo("still here");
        }
    }

    private static void assertCode(TtrpcClient client, String service, String method, int code) {
        assertThatThrownBy(() -> client.call(service, method, StringValue.of("x"), LONG))
                .isInstanceOfSatisfying(
                        TtrpcStatusException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void aSlowCallDoesNotHoldUpTheNextOne() throws Exception {
        try (TtrpcClient client = client()) {
            CompletableFuture<ByteString> slow =
                    client.send("test.Echo", "Slow", StringValue.of("slow"), LONG);
            assertThat(echo(client, "quick")).isEqualTo("quick");
            assertThat(slow).isNotDone();

            gate.countDown();

            assertThat(slow.get(20, TimeUnit.SECONDS)).isNotNull();
        }
    }

    @Test
    void aThousandConnectionsWaitAtOnce() throws Exception {
        List<TtrpcClient> clients = new ArrayList<>();
        List<CompletableFuture<ByteString>> waits = new ArrayList<>();
        try {
            for (int i = 0; i < 1_000; i++) {
                TtrpcClient client = client();
                clients.add(client);
                waits.add(client.send("test.Echo", "Park", StringValue.of("w" + i), LONG));
            }
            Awaitility.await().atMost(LONG).until(() -> parked.size() == 1_000);
            assertThat(echo(clients.getFirst(), "meanwhile")).isEqualTo("meanwhile");

            parked.forEach(responder -> responder.reply(StringValue.of("done")));

            for (CompletableFuture<ByteString> wait : waits) {
                assertThat(wait.get(20, TimeUnit.SECONDS)).isNotEmpty();
            }
        } finally {
            clients.forEach(TtrpcClient::close);
        }
    }

    @Test
    void largeAnswersToAClientThatReadsLateAreComplete() throws Exception {
        try (TtrpcClient client = client()) {
            String large = "y".repeat(3 << 20);
            List<CompletableFuture<ByteString>> answers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                answers.add(client.send("test.Echo", "Echo", StringValue.of(large), LONG));
            }
            for (CompletableFuture<ByteString> answer : answers) {
                assertThat(answer.get(20, TimeUnit.SECONDS).size()).isGreaterThan(3 << 20);
            }
        }
    }

    @Test
    void aWaiterWhoseConnectionIsClosedIsAbandoned() throws Exception {
        try (TtrpcClient client = client()) {
            var _ = client.send("test.Echo", "Park", StringValue.of("w"), LONG);
            Awaitility.await().atMost(LONG).until(() -> parked.size() == 1);
        }

        Awaitility.await().atMost(LONG).until(() -> parked.element().isAbandoned());
        parked.element().reply(StringValue.of("to nobody"));
    }

    @Test
    void wrongStreamsAreRefusedAndTheConnectionStays() throws Exception {
        Request call =
                Request.newBuilder()
                        .setService("test.Echo")
                        .setMethod("Echo")
                        .setPayload(StringValue.of("z").toByteString())
                        .build();
        try (SocketChannel raw = connect()) {
            write(raw, 2, FrameHeader.REQUEST, 0, call.toByteArray());
            assertThat(readCode(raw)).isEqualTo(3);
            write(raw, 5, FrameHeader.REQUEST, 0, call.toByteArray());
            assertThat(readCode(raw)).isZero();
            write(raw, 3, FrameHeader.REQUEST, 0, call.toByteArray());
            assertThat(readCode(raw)).isEqualTo(3);
            write(raw, 7, FrameHeader.REQUEST, 2, call.toByteArray());
            assertThat(readCode(raw)).isEqualTo(12);
            write(raw, 7, FrameHeader.DATA, 1, new byte[0]);
            assertThat(readCode(raw)).isEqualTo(3);
            write(raw, 9, FrameHeader.REQUEST, 0, new byte[] {(byte) 0xff});
            assertThat(readCode(raw)).isEqualTo(3);
            write(raw, 11, FrameHeader.REQUEST, 0, new byte[(4 << 20) + 1]);
            assertThat(readCode(raw)).isEqualTo(8);
            write(raw, 13, FrameHeader.REQUEST, 0, call.toByteArray());
            assertThat(readCode(raw)).isZero();
        }
    }

    @Test
    void garbageClosesItsConnectionOnly() throws Exception {
        Random random = new Random(7);
        try (TtrpcClient healthy = client()) {
            for (int round = 0; round < 100; round++) {
                try (SocketChannel raw = connect()) {
                    byte[] bytes = new byte[1 + random.nextInt(5_000)];
                    random.nextBytes(bytes);
                    bytes[0] = 1;
                    ByteBuffer buffer = ByteBuffer.wrap(bytes);
                    while (buffer.hasRemaining()) {
                        raw.write(buffer);
                    }
                    if (bytes.length >= FrameHeader.BYTES) {
                        assertThat(endOfStream(raw)).isTrue();
                    }
                } catch (IOException e) {
                    assertThat(e).hasMessageNotContaining("timeout");
                }
            }
            assertThat(echo(healthy, "alive")).isEqualTo("alive");
        }
    }

    private static boolean endOfStream(SocketChannel raw) {
        try {
            return raw.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException _) {
            return true; // Reset, since the server left bytes unread.
        }
    }

    @Test
    void theSocketIsPrivateAndASecondServerIsToldWhoAnswers() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(directory.resolve("run"))))
                .isEqualTo("rwx------");

        assertThatThrownBy(() -> TtrpcServer.start(socket, PeerCheck.ownUserAndRoot(), List.of()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another atolld answers on " + socket);
        assertThat(socket).exists();
    }

    @Test
    void closingRemovesTheSocket() throws Exception {
        server.close();

        assertThat(socket).doesNotExist();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        channel.connect(UnixDomainSocketAddress.of(socket));
        return channel;
    }

    private static void write(SocketChannel raw, long streamId, int type, int flags, byte[] payload)
            throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(FrameHeader.BYTES + payload.length);
        new FrameHeader(payload.length, streamId, type, flags).write(frame);
        frame.put(payload).flip();
        while (frame.hasRemaining()) {
            raw.write(frame);
        }
    }

    private static int readCode(SocketChannel raw) throws Exception {
        ByteBuffer header = ByteBuffer.allocate(FrameHeader.BYTES);
        readFully(raw, header);
        FrameHeader read = FrameHeader.read(header.flip());
        assertThat(read.type()).isEqualTo(FrameHeader.RESPONSE);
        ByteBuffer payload = ByteBuffer.allocate(read.length());
        readFully(raw, payload);
        return Response.parseFrom(payload.flip()).getStatus().getCode();
    }

    private static void readFully(SocketChannel raw, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            assertThat(raw.read(buffer)).isNotNegative();
        }
    }
}
