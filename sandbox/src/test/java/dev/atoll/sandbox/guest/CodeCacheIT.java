package dev.atoll.sandbox.guest;

import static dev.atoll.sandbox.guest.SandboxFixture.layer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.program.WasmProgram;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Compiled code across guests and daemons, on the real engine.
final class CodeCacheIT {
    @TempDir private Path directory;

    @Test
    void theSecondGuestFindsTheCode() throws Exception {
        try (SandboxFixture fixture = new SandboxFixture(directory)) {
            assertThat(fixture.run("hello.wat").description().codeCacheHit()).isFalse();
            assertThat(fixture.run("hello.wat").description().codeCacheHit()).isTrue();
        }
    }

    @Test
    void theNextDaemonFindsTheCodeWithoutReadingTheProgram() throws Exception {
        try (SandboxFixture first = new SandboxFixture(directory)) {
            first.run("hello.wat");
        }
        try (SandboxFixture second = new SandboxFixture(directory)) {
            WasmProgram.Layer known = (WasmProgram.Layer) layer("hello.wat");
            WasmProgram unread =
                    new WasmProgram.Layer(
                            known.entrypoint(),
                            known.digest(),
                            known.name(),
                            (target, maxBytes) -> {
                                throw new AssertionError("the program was read");
                            });

            SandboxFixture.Run run = second.run(unread, new Specs());

            assertThat(run.stdout()).isEqualTo("hello\n");
            assertThat(run.description().codeCacheHit()).isTrue();
        }
    }

    @Test
    void aDamagedEntryIsMadeAnew() throws Exception {
        try (SandboxFixture first = new SandboxFixture(directory)) {
            first.run("hello.wat");
        }
        Path entry = entries().getFirst();
        byte[] code = Files.readAllBytes(entry);
        code[code.length / 2] ^= 1;
        Files.write(entry, code);

        try (SandboxFixture second = new SandboxFixture(directory)) {
            SandboxFixture.Run run = second.run("hello.wat");

            assertThat(run.stdout()).isEqualTo("hello\n");
            assertThat(run.description().codeCacheHit()).isFalse();
        }
        assertThat(entries()).hasSize(1);
    }

    @Test
    void concurrentFirstUsesCompileOnce() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        WasmProgram.Layer known = (WasmProgram.Layer) layer("hello.wat");
        WasmProgram counted =
                new WasmProgram.Layer(
                        known.entrypoint(),
                        known.digest(),
                        known.name(),
                        (target, maxBytes) -> {
                            reads.incrementAndGet();
                            known.content().copyTo(target, maxBytes);
                        });
        try (SandboxFixture fixture = new SandboxFixture(directory);
                ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<WorkloadEnd>> ends = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                ends.add(
                        threads.submit(() -> {
                            try (Workload workload =
                                    fixture.guest(counted, new Specs(), Stdio.NONE)) {
                                return SandboxFixture.await(SandboxFixture.start(workload));
                            }
                        }));
            }
            for (Future<WorkloadEnd> end : ends) {
                assertThat(end.get(60, TimeUnit.SECONDS)).isEqualTo(new WorkloadEnd.Exited(0));
            }
            assertThat(fixture.sandbox().describe().modules()).isEqualTo(1);
        }

        assertThat(reads).hasValue(1);
        assertThat(entries()).hasSize(1);
    }

    @Test
    void aProgramThatDoesNotCompileIsNamedAndNotKept() throws Exception {
        try (SandboxFixture fixture = new SandboxFixture(directory)) {
            WasmProgram broken = layer("broken.wasm", new byte[] {0, 'a', 's', 'm', 1, 0, 0, 0, 9});

            assertThatThrownBy(() -> fixture.run(broken, new Specs()))
                    .isInstanceOf(InvalidWorkload.class)
                    .hasMessageContaining("broken.wasm");
        }
        assertThat(entries()).isEmpty();
        try (Stream<Path> files = Files.walk(directory.resolve("state"))) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void aLayerThatIsNoWasmIsRefused() throws Exception {
        try (SandboxFixture fixture = new SandboxFixture(directory)) {
            assertThatThrownBy(() ->
                            fixture.run(layer("text.wasm", new byte[] {'h', 'i'}), new Specs()))
                    .isInstanceOf(InvalidWorkload.class)
                    .hasMessageContaining("text.wasm is neither binary nor text WebAssembly");
        }
    }

    private List<Path> entries() throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("state/code"))) {
            return files.filter(file -> file.toString().endsWith(".cwasm")).toList();
        }
    }
}
