package dev.atoll.deploy.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tomlj.Toml;
import org.tomlj.TomlParseResult;

final class RuntimeBlockTest {
    private static final String TABLES =
            RuntimeBlock.tables(
                    "p", List.of("wasmtime", "wasmtime-2"), "io.containerd.wasmtime.v1");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n",
                "version = 2",
                "version = 2\n",
                "version = 2\n\n\n",
                "# a comment\nversion = 2\n[plugins.a]\n  b = 1 # another\n"
            })
    void aTextIsTheSameAfterABlockCameAndWent(String text) throws InstallFailed {
        String with = RuntimeBlock.append(text, TABLES);

        assertThat(with).startsWith(text);
        assertThat(RuntimeBlock.isIn(with)).isTrue();
        assertThat(RuntimeBlock.strip(with)).isEqualTo(text);
        assertThat(RuntimeBlock.append(with, TABLES)).isEqualTo(with);
    }

    @Test
    void theBlockIsTomlThatNamesTheRuntimes() throws InstallFailed {
        TomlParseResult toml = Toml.parse(RuntimeBlock.append("version = 2", TABLES));

        assertThat(toml.errors()).isEmpty();
        for (String handler : List.of("wasmtime", "wasmtime-2")) {
            assertThat(
                            toml.getString(
                                    List.of(
                                            "plugins",
                                            "p",
                                            "containerd",
                                            "runtimes",
                                            handler,
                                            "runtime_type")))
                    .isEqualTo("io.containerd.wasmtime.v1");
        }
    }

    @Test
    void whatWasWrittenBehindABlockStays() throws InstallFailed {
        String with = RuntimeBlock.append("version = 2\n", TABLES) + "[debug]\n";

        assertThat(RuntimeBlock.strip(with)).isEqualTo("version = 2\n[debug]\n");
    }

    @Test
    void aBlockWithoutItsEndIsNotGuessedAt() throws InstallFailed {
        String with = RuntimeBlock.append("version = 2\n", TABLES).replace("# END atoll\n", "");

        assertThatThrownBy(() -> RuntimeBlock.strip(with))
                .isInstanceOf(InstallFailed.class)
                .hasMessageContaining("by hand");
    }
}
