package dev.atoll.sandbox.guest;

import static dev.atoll.sandbox.guest.SandboxFixture.await;
import static dev.atoll.sandbox.guest.SandboxFixture.layer;
import static dev.atoll.sandbox.guest.SandboxFixture.start;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What guests do on the real engine.
@TestInstance(Lifecycle.PER_CLASS)
final class WasmGuestIT {
    private static final int FLOOD_BYTES = 10 << 20;

    private final SandboxFixture fixture;

    WasmGuestIT(@TempDir Path directory) {
        fixture = new SandboxFixture(directory);
    }

    @BeforeAll
    void warmUp() throws Exception {
        fixture.run("hello.wat");
    }

    @AfterAll
    void close() {
        fixture.close();
    }

    @Test
    void helloIsWrittenAndExitsWithZero() throws Exception {
        SandboxFixture.Run run = fixture.run("hello.wat");

        assertThat(run.end()).isEqualTo(new WorkloadEnd.Exited(0));
        assertThat(run.stdout()).isEqualTo("hello\n");
        assertThat(run.stderr()).isEmpty();
        assertThat(run.description().kind()).isEqualTo("module");
        assertThat(run.description().program()).startsWith("sha256:");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 41})
    void theExitStatusIsTheGuests(int arguments) throws Exception {
        String[] values = new String[arguments];
        Arrays.fill(values, "x");

        assertThat(fixture.run("exit.wat", values).end())
                .isEqualTo(new WorkloadEnd.Exited(arguments + 1));
    }

    @Test
    void aTrapIsWrittenToStandardErrorAndReported() throws Exception {
        SandboxFixture.Run run = fixture.run("trap.wat");

        assertThat(run.end())
                .isInstanceOfSatisfying(
                        WorkloadEnd.Trapped.class,
                        trapped -> assertThat(trapped.text()).contains("unreachable", "inner"));
        assertThat(run.end().exitStatus()).isEqualTo(134);
        assertThat(run.stderr()).contains("unreachable", "inner");
    }

    @ParameterizedTest
    @CsvSource({"loop.wat, 9, 137", "loop.wat, 15, 143", "sleep.wat, 9, 137", "sleep.wat, 2, 130"})
    void aSignalEndsALoopAndASleepAtOnce(String program, int signal, int status) throws Exception {
        try (Workload workload = fixture.guest(layer(program), new Specs(), Stdio.NONE)) {
            CompletableFuture<WorkloadEnd> end = start(workload);
            long before = System.nanoTime();

            workload.signal(signal);

            assertThat(await(end)).isEqualTo(new WorkloadEnd.Signalled(signal));
            assertThat(await(end).exitStatus()).isEqualTo(status);
            assertThat(Duration.ofNanos(System.nanoTime() - before))
                    .isLessThan(Duration.ofSeconds(2));
            assertThatThrownBy(() -> workload.signal(signal)).isInstanceOf(WorkloadEnded.class);
        }
    }

    @Test
    void signalsIgnoredByDefaultChangeNothing() throws Exception {
        try (Workload workload = fixture.guest(layer("sleep.wat"), new Specs(), Stdio.NONE)) {
            CompletableFuture<WorkloadEnd> end = start(workload);

            workload.signal(0);
            workload.signal(28);

            assertThat(end).isNotDone();
            assertThatThrownBy(() -> workload.signal(19)).isInstanceOf(InvalidWorkload.class);
            workload.signal(9);
            await(end);
        }
    }

    @Test
    void aSignalBeforeTheStartEndsIt() {
        try (Workload workload = fixture.guest(layer("sleep.wat"), new Specs(), Stdio.NONE)) {
            workload.signal(15);

            assertThatThrownBy(() -> workload.start(end -> {})).isInstanceOf(WorkloadEnded.class);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(10))
                    .untilAsserted(() ->
                            assertThatThrownBy(() -> workload.signal(0))
                                    .hasMessageContaining("status 143"));
        }
    }

    @Test
    void aGuestStartsOnce() throws Exception {
        try (Workload workload = fixture.guest(layer("sleep.wat"), new Specs(), Stdio.NONE)) {
            CompletableFuture<WorkloadEnd> end = start(workload);

            assertThatThrownBy(() -> workload.start(ignored -> {}))
                    .isInstanceOf(SandboxFailure.class);
            workload.signal(9);
            await(end);
        }
    }

    @Test
    void closingARunningGuestEndsItAndIsIdempotent() throws Exception {
        Workload workload = fixture.guest(layer("loop.wat"), new Specs(), Stdio.NONE);
        CompletableFuture<WorkloadEnd> end = start(workload);

        workload.close();
        workload.close();

        assertThat(await(end)).isEqualTo(new WorkloadEnd.Signalled(9));
        assertThat(workload.usage()).isEqualTo(WorkloadUsage.NONE);
        assertThatThrownBy(() -> workload.signal(9)).isInstanceOf(WorkloadEnded.class);
    }

    @Test
    void aGuestThatIsNotReadDoesNotHoldUpAnother() throws Exception {
        Path fifo = fixture.fifo("flood");
        try (ExecutorService threads = Executors.newSingleThreadExecutor();
                Workload flood =
                        fixture.guest(
                                layer("flood.wat"),
                                new Specs(),
                                new Stdio("", fifo.toString(), ""));
                InputStream reader = Files.newInputStream(fifo)) {
            CompletableFuture<WorkloadEnd> end = start(flood);

            assertThat(fixture.run("hello.wat").stdout()).isEqualTo("hello\n");
            assertThat(end).isNotDone();
            Future<Long> count =
                    threads.submit(() -> reader.transferTo(OutputStream.nullOutputStream()));

            assertThat(await(end)).isEqualTo(new WorkloadEnd.Exited(0));
            assertThat(count.get(10, TimeUnit.SECONDS)).isEqualTo(FLOOD_BYTES);
        }
    }

    @Test
    void standardInputEndsWhenTheLastWriterIsGone() throws Exception {
        Path fifo = fixture.fifo("stdin");
        Path stdout = Files.createFile(fixture.path("stdin-copy"));
        try (Workload workload =
                fixture.guest(
                        layer("cat.wat"),
                        new Specs(),
                        new Stdio(fifo.toString(), stdout.toString(), ""))) {
            CompletableFuture<WorkloadEnd> end = start(workload);
            Files.write(fifo, "first".getBytes(StandardCharsets.UTF_8));
            Awaitility.await()
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> Files.readString(stdout).equals("first"));
            assertThat(end).isNotDone();

            workload.closeStdin();

            assertThat(await(end)).isEqualTo(new WorkloadEnd.Exited(0));
        }
    }

    @Test
    void aGuestWithoutStreamsRuns() throws Exception {
        try (Workload workload = fixture.guest(layer("hello.wat"), new Specs(), Stdio.NONE)) {
            assertThat(await(start(workload))).isEqualTo(new WorkloadEnd.Exited(0));
        }
    }

    @Test
    void crossingTheMemoryLimitEndsIt() throws Exception {
        assertThat(fixture.run(layer("grow.wat"), new Specs().memoryLimit(8 << 20)).end())
                .isEqualTo(new WorkloadEnd.OutOfMemory());
    }

    @Test
    void whatItUsedIsKnownAfterItsEnd() throws Exception {
        try (Workload workload = fixture.guest(layer("hello.wat"), new Specs(), Stdio.NONE)) {
            await(start(workload));

            assertThat(workload.usage().cpuNanos()).isPositive();
            assertThat(workload.usage().peakMemoryBytes()).isGreaterThanOrEqualTo(65536);
            assertThat(workload.usage().memoryBytes()).isZero();
        }
    }

    @Test
    void anImportThatNobodyProvidesIsNamed() {
        assertThatThrownBy(() -> fixture.run("unknown-import.wat"))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("fd_wirte")
                .hasMessageContaining("fd_write");
    }

    @Test
    void anExportThatIsMissingIsNamed() {
        assertThatThrownBy(
                        () -> {
                            Files.write(
                                    fixture.rootfs().resolve("hello.wasm"),
                                    SandboxFixture.resource("hello.wat"));
                            fixture.run(SandboxFixture.file("/hello.wasm#nothing"), new Specs());
                        })
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("nothing");
    }

    @Test
    void atATerminalLinesEndAsTerminalsWantThem() throws Exception {
        Path stdout = fixture.path("terminal");
        Files.createFile(stdout);
        Stdio stdio = new Stdio("", stdout.toString(), "");
        try (Workload workload = fixture.guest(layer("hello.wat"), new Specs().terminal(), stdio)) {
            assertThat(await(start(workload))).isEqualTo(new WorkloadEnd.Exited(0));
        }
        assertThat(Files.readString(stdout)).isEqualTo("hello\r\n");
    }

    @Test
    void aSpecWithoutProcessOrArgumentsIsRefused() {
        assertThatThrownBy(() -> fixture.run(layer("hello.wat"), new Specs().withoutProcess()))
                .isInstanceOf(InvalidWorkload.class);
        assertThatThrownBy(() -> fixture.run(layer("hello.wat"), new Specs().args()))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessageContaining("process.args is empty");
    }

    @Test
    void aStreamThatCannotBeOpenedIsNamed() {
        assertThatThrownBy(() ->
                        fixture.guest(
                                layer("hello.wat"), new Specs(), new Stdio("", "/nowhere/out", "")))
                .hasMessageContaining("/nowhere/out");
    }

    @Test
    void nothingIsLeftOfManyGuests() throws Exception {
        for (int i = 0; i < 20; i++) {
            fixture.run("hello.wat");
        }
        List<String> descriptors = descriptors();
        List<String> threads = threads();

        for (int i = 0; i < 200; i++) {
            fixture.run("hello.wat");
        }

        Awaitility.await()
                .pollInSameThread()
                .atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> {
                    assertThat(descriptors())
                            .as("before: %s", descriptors)
                            .hasSizeLessThanOrEqualTo(descriptors.size());
                    assertThat(threads())
                            .as("before: %s", threads)
                            .hasSizeLessThanOrEqualTo(threads.size());
                    assertThat(fixture.sandbox().describe().live()).isZero();
                    assertThat(fixture.sandbox().describe().views()).isZero();
                });
    }

    /// Names of all threads but the JVM's compilers, which come and go.
    private static List<String> threads() throws Exception {
        List<String> names = new ArrayList<>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                String name = Files.readString(task.resolve("comm")).strip();
                if (!name.startsWith("C1 ") && !name.startsWith("C2 ")) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    /// What is open, by name.
    private static List<String> descriptors() throws Exception {
        List<String> targets = new ArrayList<>();
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : open.toList()) {
                if (Files.isSymbolicLink(descriptor)) {
                    targets.add(Files.readSymbolicLink(descriptor).toString());
                }
            }
        }
        return targets;
    }
}
