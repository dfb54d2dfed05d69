package dev.atoll.sandbox.code;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ProgramHeadTest {
    private static ProgramHead head(String bytes) {
        return ProgramHead.of(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\0asm\1\0\0\0",
                "\0asm\r\0\1\0",
                "(module)",
                " \t\r\n(component)",
                ";; comment\n(module)",
                "(; block (; nested ;) ;) (module)"
            })
    void binaryAndTextAreAccepted(String bytes) {
        assertThat(head(bytes).isWasm()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "#!/bin/sh\n",
                "\u007fELF\2\1",
                ";; only a comment",
                "(; open",
                "\u001f\u008b\b"
            })
    void anythingElseIsNot(String bytes) {
        assertThat(head(bytes).isWasm()).isFalse();
    }

    static Stream<Arguments> kinds() {
        return Stream.of(
                Arguments.of("", "an empty file"),
                Arguments.of("\u007fELF\2", "an ELF executable"),
                Arguments.of("#!/bin/sh\necho", "a script (#!/bin/sh)"),
                Arguments.of("#!/bin/\u001b[2J", "a script (#!/bin/?[2J)"),
                Arguments.of("\u001f\u008b\b", "gzip-compressed"),
                Arguments.of("MZ..", "a Windows executable"),
                Arguments.of("PK\u0003\u0004", "a zip or jar file"),
                Arguments.of("text", "neither binary nor text WebAssembly"));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void whatWasFoundIsNamed(String bytes, String found) {
        assertThat(head(bytes).found()).isEqualTo(found);
    }

    @ParameterizedTest
    @ValueSource(ints = {ProgramHead.BYTES})
    void commentsLongerThanTheHeadAreLeftToTheCompiler(int length) {
        assertThat(head(";".repeat(length)).isWasm()).isTrue();
    }
}
