package dev.atoll.sandbox.code;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.SandboxFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CodeDirectoryTest {
    private static final String PROGRAM = "ab".repeat(32);
    private static final String OTHER = "cd".repeat(32);
    private static final long MAX_BYTES = 100;

    @TempDir private Path parent;
    private Path state = Path.of("");

    private final AtomicLong seconds = new AtomicLong(1_000);
    private final InstantSource clock = () -> Instant.ofEpochSecond(seconds.incrementAndGet());

    @BeforeEach
    void choose() {
        state = parent.resolve("state");
    }

    private CodeDirectory open() {
        return CodeDirectory.open(state, "engine1", MAX_BYTES, clock);
    }

    private static Path store(CodeDirectory directory, String program, String code)
            throws IOException {
        return directory.store(program, Files.writeString(directory.temporary("output"), code));
    }

    private Path code() {
        return state.resolve("code");
    }

    @Test
    void whatWasStoredIsFound() throws IOException {
        CodeDirectory directory = open();

        Path stored = store(directory, PROGRAM, "code");

        assertThat(directory.find(PROGRAM)).contains(stored);
        assertThat(directory.find(OTHER)).isEmpty();
        assertThat(directory.path()).isDirectoryContaining("glob:**" + PROGRAM + ".*.cwasm");
    }

    @Test
    void directoriesAreForTheOwnerOnly() throws IOException {
        open();

        for (Path made : new Path[] {state, code(), code().resolve("engine1")}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                    .isEqualTo("rwx------");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cod", "codE", "code and more", ""})
    void aDamagedEntryIsRemovedAndNotFound(String damaged) throws IOException {
        CodeDirectory directory = open();
        Path stored = store(directory, PROGRAM, "code");
        Files.writeString(stored, damaged);

        assertThat(directory.find(PROGRAM)).isEmpty();
        assertThat(stored).doesNotExist();
    }

    @Test
    void beyondTheBoundWhatWasUsedLongestAgoGoes() throws IOException {
        CodeDirectory directory = open();
        Path first = store(directory, PROGRAM, "x".repeat(40));
        Path second = store(directory, OTHER, "y".repeat(40));
        directory.find(PROGRAM);

        store(directory, "ef".repeat(32), "z".repeat(40));

        assertThat(first).exists();
        assertThat(second).doesNotExist();
    }

    @Test
    void anEntryLargerThanTheBoundIsNotKept() throws IOException {
        CodeDirectory directory = open();

        Path stored = store(directory, PROGRAM, "x".repeat(101));

        assertThat(stored).doesNotExist();
    }

    @Test
    void codeOfOtherEnginesIsRemovedAtTheStart() throws IOException {
        store(open(), PROGRAM, "code");

        CodeDirectory.open(state, "engine2", MAX_BYTES, clock);

        try (Stream<Path> left = Files.list(code())) {
            assertThat(left).containsExactly(code().resolve("engine2"));
        }
    }

    @Test
    void filesOfACrashedDaemonAreRemovedAtTheStart() throws IOException {
        CodeDirectory directory = open();
        Path own = Files.writeString(directory.temporary("output"), "half");
        Path dead = Files.writeString(directory.path().resolve("tmp-4194305-1-output"), "half");
        Path alive = Files.writeString(directory.path().resolve("tmp-1-1-output"), "half");

        open();

        assertThat(own).doesNotExist();
        assertThat(dead).doesNotExist();
        assertThat(alive).exists();
    }

    @Test
    void aDirectoryRemovedMeanwhileIsMadeAgain() throws IOException {
        CodeDirectory directory = open();
        Files.delete(directory.path());

        assertThat(directory.find(PROGRAM)).isEmpty();
        assertThat(store(directory, PROGRAM, "code")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwx---", "rwx---rwx", "rwxrwxrwx"})
    void aDirectoryThatOthersMayWriteIsRefused(String mode) throws IOException {
        open();
        Files.setPosixFilePermissions(code(), PosixFilePermissions.fromString(mode));

        assertThatThrownBy(this::open)
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("has mode " + mode);
    }

    @Test
    void aLinkInPlaceOfTheDirectoryIsRefused() throws IOException {
        Files.createDirectories(parent.resolve("elsewhere"));
        Files.createSymbolicLink(state, parent.resolve("elsewhere"));

        assertThatThrownBy(this::open)
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("is not a directory");
    }
}
