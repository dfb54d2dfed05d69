package dev.atoll.oci.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EntrypointTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "/app.wasm | /app.wasm | ''",
                "/app.wasm#run | /app.wasm | run",
                "a#b#c | a#b | c",
                "/app.wasm# | /app.wasm# | ''",
                "#run | '' | run",
                "'' | '' | ''",
            })
    void firstArgumentIsPathAndExport(String argument, String path, String export) {
        assertThat(Entrypoint.parse(argument))
                .isEqualTo(
                        new Entrypoint(path, Optional.of(export).filter(name -> !name.isEmpty())));
    }
}
