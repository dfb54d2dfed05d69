package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ProgramRoleTest {
    private static final String HANDLER = "wasi:http/incoming-handler@0.2.3";
    private static final String RUN = "wasi:cli/run@0.2.3";

    @Test
    void aComponentWithAHandlerIsAServerEvenIfItIsACommandToo() {
        assertThat(ProgramRole.of(List.of(HANDLER), Optional.empty()))
                .isEqualTo(ProgramRole.SERVER);
        assertThat(ProgramRole.of(List.of(RUN, HANDLER), Optional.empty()))
                .isEqualTo(ProgramRole.SERVER);
    }

    @Test
    void aFunctionThatIsNamedIsCalled() {
        assertThat(ProgramRole.of(List.of(HANDLER, "go"), Optional.of("go")))
                .isEqualTo(ProgramRole.FUNCTION);
    }

    @Test
    void anythingElseIsACommand() {
        assertThat(ProgramRole.of(List.of(RUN), Optional.empty())).isEqualTo(ProgramRole.COMMAND);
        assertThat(ProgramRole.of(List.of("_start"), Optional.empty()))
                .isEqualTo(ProgramRole.COMMAND);
        assertThat(ProgramRole.of(List.of("wasi:http/incoming-handler@0.3.0"), Optional.empty()))
                .isEqualTo(ProgramRole.COMMAND);
        assertThat(ProgramRole.COMMAND.word()).isEqualTo("command");
    }
}
