package dev.atoll.sandbox.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.SandboxFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EngineLibraryTest {
    @TempDir private Path directory;

    @Test
    void aMissingLibraryIsNamedWithTheProperty() {
        assertThatThrownBy(() -> EngineLibrary.load(directory.resolve("none.so")))
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("none.so is missing")
                .hasMessageContaining("-Datoll.engine.library");
    }

    @Test
    void aFileThatIsNoLibraryIsSaidToBeDamaged() throws IOException {
        Path file = Files.writeString(directory.resolve("text.so"), "text");

        assertThatThrownBy(() -> EngineLibrary.load(file))
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("cannot be loaded");
    }

    @Test
    void aLibraryWithoutTheFunctionsIsOfAnotherVersion() {
        Path other = Path.of(System.getProperty("java.home"), "lib", "libjava.so");

        assertThatThrownBy(() -> EngineLibrary.load(other))
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("has no function atoll_abi");
    }

    @Test
    void theConfiguredPathComesFirst() {
        assertThat(EngineLibraryPath.resolve(Optional.of(Path.of("/x/../y.so"))))
                .isEqualTo(Path.of("/y.so"));
    }
}
