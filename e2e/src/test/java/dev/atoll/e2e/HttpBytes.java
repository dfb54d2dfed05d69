package dev.atoll.e2e;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/// What hostile clients send: sound requests of both versions of HTTP, damaged at random.
///
/// @param random the source of all choices
record HttpBytes(Random random) {
    /// How HTTP/2 begins.
    static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    private static final int FRAME_TYPES = 12;

    private static final List<String> SOUND =
            List.of(
                    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET /headers?x=%20 HTTP/1.0\r\n\r\n",
                    "HEAD / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-One: 2\r\n\r\n",
                    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX: 1\r\n\r\n",
                    "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
                    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
                    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                    "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
                    "GET http://b/ HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");

    /// What parsers of HTTP have stumbled over.
    private static final List<String> PIECES =
            List.of(
                    "\r\n",
                    "\n",
                    "\r",
                    "\0",
                    " ",
                    "\t",
                    ":",
                    "Content-Length: 3\r\n",
                    "Content-Length: -1\r\n",
                    "Content-Length: 18446744073709551616\r\n",
                    "Content-Length: 1, 2\r\n",
                    "Transfer-Encoding: chunked\r\n",
                    "Transfer-Encoding: chunked, identity\r\n",
                    "Transfer-Encoding : chunked\r\n",
                    "Transfer-Encoding: \u000bchunked\r\n",
                    "Host: b\r\n",
                    "Connection: close, content-length\r\n",
                    " folded\r\n",
                    "FFFFFFFFFFFFFFFFF\r\n",
                    "-1\r\n",
                    "0x5\r\n",
                    "0\r\n\r\n",
                    "HTTP/9.9",
                    "HTTP/1.1\r\n\r\n",
                    "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
                    "\u00ff\u00fe",
                    PREFACE);

    /// Returns the next of them.
    byte[] next() {
        return switch (random.nextInt(10)) {
            case 0 -> noise(random.nextInt(1, 300));
            case 1, 2 -> frames();
            case 3 -> damaged(frames());
            default -> damaged(one(SOUND).getBytes(StandardCharsets.ISO_8859_1));
        };
    }

    private <T> T one(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private byte[] noise(int length) {
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] damaged(byte[] sound) {
        byte[] bytes = sound;
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            int at = random.nextInt(bytes.length + 1);
            bytes =
                    switch (random.nextInt(5)) {
                        case 0 -> spliced(bytes, at, at, noise(1));
                        case 1 ->
                                spliced(bytes, at, random.nextInt(at, bytes.length + 1), noise(0));
                        case 2 -> spliced(bytes, at, Math.min(at + 1, bytes.length), noise(1));
                        case 3 -> spliced(bytes, at, at, new byte[random.nextInt(20_000)]);
                        default ->
                                spliced(
                                        bytes,
                                        at,
                                        at,
                                        one(PIECES).getBytes(StandardCharsets.ISO_8859_1));
                    };
        }
        return bytes;
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] instead) {
        var out = new ByteArrayOutputStream();
        out.write(bytes, 0, from);
        out.writeBytes(instead);
        out.write(bytes, to, bytes.length - to);
        return out.toByteArray();
    }

    /// A beginning of HTTP/2, then frames of which some make sense.
    private byte[] frames() {
        var out = new ByteArrayOutputStream();
        out.writeBytes(PREFACE.getBytes(StandardCharsets.ISO_8859_1));
        out.writeBytes(frame(4, 0, 0, new byte[0]));
        int stream = 1;
        for (int i = random.nextInt(40); i > 0; i--) {
            switch (random.nextInt(6)) {
                case 0 -> {
                    // A request that is taken back at once, as in floods of resets.
                    out.writeBytes(frame(1, 5, stream, request()));
                    out.writeBytes(frame(3, 0, stream, new byte[4]));
                    stream += 2;
                }
                case 1 -> {
                    out.writeBytes(frame(1, random.nextInt(256), stream, request()));
                    stream += 2;
                }
                case 2 -> out.writeBytes(frame(9, 0, stream, noise(random.nextInt(200))));
                case 3 -> out.writeBytes(frame(8, 0, random.nextInt(5), noise(4)));
                case 4 -> out.writeBytes(frame(6, 0, 0, noise(8)));
                default ->
                        out.writeBytes(
                                frame(
                                        random.nextInt(FRAME_TYPES),
                                        random.nextInt(256),
                                        random.nextInt(8),
                                        noise(random.nextInt(100))));
            }
        }
        return out.toByteArray();
    }

    /// The headers of `GET /` for authority `a`, as HPACK (RFC 7541) writes them.
    private static byte[] request() {
        return new byte[] {(byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 1, 'a'};
    }

    /// Returns a frame of HTTP/2.
    static byte[] frame(int type, int flags, int stream, byte[] content) {
        return ByteBuffer.allocate(9 + content.length)
                .put((byte) (content.length >> 16))
                .putShort((short) content.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(content)
                .array();
    }
}
