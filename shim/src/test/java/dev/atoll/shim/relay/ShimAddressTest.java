package dev.atoll.shim.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.atoll.api.containerd.bootstrap.BootstrapResult;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ShimAddressTest {
    private static final Path SOCKET = Path.of("/run/containerd/s/1");

    private static ShimAddress parse(String text) throws IOException {
        return ShimAddress.parse(ByteString.copyFromUtf8(text));
    }

    @Test
    void containerdsOfAllAgesAnswerInTheirWays() throws IOException {
        ShimAddress two = new ShimAddress("containerd.task.v2.Task", SOCKET);
        ShimAddress three = new ShimAddress("containerd.task.v3.Task", SOCKET);

        assertThat(parse("unix:///run/containerd/s/1\n")).isEqualTo(two);
        assertThat(
                        parse(
                                "{\"version\":2,\"address\":\"unix:///run/containerd/s/1\",\"protocol\":\"ttrpc\"}"))
                .isEqualTo(two);
        assertThat(
                        parse(
                                "{\"version\":3,\"address\":\"unix:///run/containerd/s/1\",\"protocol\":\"ttrpc\"}"))
                .isEqualTo(three);
        assertThat(
                        ShimAddress.parse(
                                BootstrapResult.newBuilder()
                                        .setVersion(3)
                                        .setAddress("unix:///run/containerd/s/1")
                                        .setProtocol("ttrpc")
                                        .build()
                                        .toByteString()))
                .isEqualTo(three);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "panic: no",
                "{",
                "{\"version\":2}",
                "{\"version\":\"x\",\"address\":\"unix:///s\"}",
                "{\"version\":4,\"address\":\"unix:///s\",\"protocol\":\"ttrpc\"}",
                "{\"version\":2,\"address\":\"unix:///s\",\"protocol\":\"grpc\"}",
                "vsock://3:1",
                "unix://relative"
            })
    void anythingElseIsRefusedInOneLine(String answer) {
        assertThatThrownBy(() -> parse(answer))
                .isInstanceOf(IOException.class)
                .message()
                .doesNotContain("\n")
                .startsWith("it ");
    }
}
