package dev.atoll.shim.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.atoll.api.containerd.runc.Options;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class RuncOptionsTest {
    private static final Optional<String> CGROUPFS = Optional.of("/kubepods/pod1/c1");
    private static final Optional<String> SYSTEMD =
            Optional.of("kubepods-pod1.slice:cri-containerd:c1");

    /// `binary_name` of containerd's own message.
    private static final UnknownFieldSet.Field CRUN =
            UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("crun"))
                    .build();

    private static Any runc(Options options) {
        return Any.newBuilder()
                .setTypeUrl("containerd.runc.v1.Options")
                .setValue(options.toByteString())
                .build();
    }

    @Test
    void optionsForRuncPassAsTheyAre() {
        Any sent = Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").build();

        assertThat(RuncOptions.of(Optional.of(sent), CGROUPFS)).contains(sent);
        assertThat(RuncOptions.of(Optional.empty(), CGROUPFS)).isEmpty();
    }

    @Test
    void optionsForAnotherRuntimeAreNotPassed() {
        Any sent = Any.newBuilder().setTypeUrl("runtimeoptions.v1.Options").build();

        assertThat(RuncOptions.of(Optional.of(sent), CGROUPFS)).isEmpty();
    }

    @Test
    void systemdMakesTheCgroupWhereThePathIsItsOwn() {
        assertThat(RuncOptions.of(Optional.empty(), SYSTEMD))
                .contains(runc(Options.newBuilder().setSystemdCgroup(true).build()));
    }

    @Test
    void whatElseWasAskedOfRuncStays() throws Exception {
        Options asked =
                Options.newBuilder()
                        .setUnknownFields(UnknownFieldSet.newBuilder().addField(6, CRUN).build())
                        .build();

        Options passed =
                Options.parseFrom(
                        RuncOptions.of(Optional.of(runc(asked)), SYSTEMD).orElseThrow().getValue());

        assertThat(passed.getSystemdCgroup()).isTrue();
        assertThat(passed.getUnknownFields().getField(6)).isEqualTo(CRUN);
    }
}
