package dev.atoll.shim.ttrpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.StringValue;
import dev.atoll.api.ttrpc.KeyValue;
import dev.atoll.api.ttrpc.Request;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class FrameDecoderTest {
    /// A State call of id `a` in namespace `ns`, written by hand after PROTOCOL.md and
    /// request.proto.
    private static final String STATE_CALL =
            "00000047" // 71 bytes
                    + "00000003" // stream 3
                    + "0100" // request, no flags
                    + "0a17"
                    + hex("containerd.task.v2.Task")
                    + "1205"
                    + hex("State")
                    + "1a03"
                    + "0a0161"
                    + "2a20"
                    + "0a1a"
                    + hex("containerd-namespace-ttrpc")
                    + "1202"
                    + hex("ns");

    private final List<FrameHeader> headers = new ArrayList<>();
    private final List<ByteString> payloads = new ArrayList<>();
    private final List<FrameHeader> oversized = new ArrayList<>();
    private final FrameDecoder decoder =
            new FrameDecoder(
                    new FrameDecoder.Sink() {
                        @Override
                        public void frame(FrameHeader header, ByteString payload) {
                            headers.add(header);
                            payloads.add(payload);
                        }

                        @Override
                        public void oversized(FrameHeader header) {
                            oversized.add(header);
                        }
                    });

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(UTF_8));
    }

    @Test
    void aHandWrittenCallIsRead() throws Exception {
        decoder.decode(ByteBuffer.wrap(HexFormat.of().parseHex(STATE_CALL)));

        assertThat(headers).containsExactly(new FrameHeader(71, 3, FrameHeader.REQUEST, 0));
        Request request = Request.parseFrom(payloads.getFirst());
        assertThat(request.getService()).isEqualTo("containerd.task.v2.Task");
        assertThat(request.getMethod()).isEqualTo("State");
        assertThat(request.getMetadataList())
                .containsExactly(
                        KeyValue.newBuilder()
                                .setKey("containerd-namespace-ttrpc")
                                .setValue("ns")
                                .build());
    }

    @Test
    void framesMayComeByteByByte() throws Exception {
        byte[] bytes = HexFormat.of().parseHex(STATE_CALL + STATE_CALL + "00000000000000070100");

        for (byte single : bytes) {
            decoder.decode(ByteBuffer.wrap(new byte[] {single}));
        }

        assertThat(headers).extracting(FrameHeader::streamId).containsExactly(3L, 3L, 7L);
        assertThat(payloads.getLast()).isEmpty();
    }

    @Test
    void anOversizedFrameIsSkippedAndTheNextOneRead() throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(FrameHeader.BYTES + (4 << 20) + 1 + 10);
        new FrameHeader((4 << 20) + 1, 1, FrameHeader.REQUEST, 0).write(bytes);
        bytes.position(bytes.position() + (4 << 20) + 1);
        new FrameHeader(0, 5, FrameHeader.REQUEST, 0).write(bytes);

        decoder.decode(bytes.flip());

        assertThat(oversized).extracting(FrameHeader::streamId).containsExactly(1L);
        assertThat(headers).extracting(FrameHeader::streamId).containsExactly(5L);
    }

    @Test
    void whatIsNoHeaderIsAViolation() {
        assertThatThrownBy(() ->
                        decoder.decode(
                                ByteBuffer.wrap(HexFormat.of().parseHex("47455420202020200100"))))
                .isInstanceOf(ProtocolViolation.class);
        FrameDecoder other = new FrameDecoder(new Ignoring());
        assertThatThrownBy(() ->
                        other.decode(
                                ByteBuffer.wrap(HexFormat.of().parseHex("00000000000000010900"))))
                .isInstanceOf(ProtocolViolation.class)
                .hasMessageContaining("message type 9");
    }

    @Test
    void whateverComesEndsInFramesOrAViolation() {
        Random random = new Random(20260102);
        for (int round = 0; round < 2_000; round++) {
            FrameDecoder subject = new FrameDecoder(new Ignoring());
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            if (random.nextBoolean() && bytes.length > 9) {
                bytes[0] = 0;
                bytes[1] = 0;
                bytes[8] = (byte) (1 + random.nextInt(3));
            }
            try {
                subject.decode(ByteBuffer.wrap(bytes));
            } catch (ProtocolViolation e) {
                assertThat(e).hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void whatIsEncodedIsDecoded() throws Exception {
        StringValue message = StringValue.of("x".repeat(100_000));

        decoder.decode(FrameEncoder.encode(FrameHeader.RESPONSE, 0xfffffffdL, message));

        assertThat(headers.getFirst().streamId()).isEqualTo(0xfffffffdL);
        assertThat(StringValue.parseFrom(payloads.getFirst())).isEqualTo(message);
    }

    private static final class Ignoring implements FrameDecoder.Sink {
        @Override
        public void frame(FrameHeader header, ByteString payload) {}

        @Override
        public void oversized(FrameHeader header) {}
    }
}
