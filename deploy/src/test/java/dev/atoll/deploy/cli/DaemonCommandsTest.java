package dev.atoll.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.atoll.api.v1.Guest;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DaemonCommandsTest {
    private static final Guest RUNNING =
            Guest.newBuilder()
                    .setNamespace("k8s.io")
                    .setId("0123456789abcdef0123")
                    .setSandboxId("fedcba")
                    .setPodNamespace("default")
                    .setPodName("hello")
                    .setContainerName("app")
                    .setImage("registry.example/hello:1")
                    .setState("running")
                    .setKind("component")
                    .setProgram("hello.wasm")
                    .setMemoryBytes(1_310_720)
                    .setPeakMemoryBytes(2_000_000)
                    .setMemoryLimit(128 << 20)
                    .setCpuNanos(12_300_000)
                    .setCpuPeriods(40)
                    .setCpuThrottledPeriods(30)
                    .setCpuThrottledNanos(1_500_000_000)
                    .setCreatedAt(FakeAtoll.secondsAgo(190))
                    .setStartedAt(FakeAtoll.secondsAgo(189))
                    .setCodeCacheHit(true)
                    .setRole("server")
                    .setRequests(1234)
                    .setRequestsTrapped(5)
                    .setRequestsRefused(67)
                    .setRequestsInProgress(8)
                    .setConnections(9)
                    .setInstances(10)
                    .setOpenSockets(11)
                    .setPolicyRefusals(12)
                    .build();
    private static final Guest STOPPED =
            Guest.newBuilder()
                    .setNamespace("k8s.io")
                    .setId("short")
                    .setPodNamespace("default")
                    .setPodName("evil\u001b[31m\n")
                    .setContainerName("app")
                    .setState("stopped")
                    .setKind("module")
                    .setRole("command")
                    .setExitStatus(137)
                    .setCreatedAt(FakeAtoll.secondsAgo(3600))
                    .setExitedAt(FakeAtoll.secondsAgo(1))
                    .build();
    private static final Guest PAUSE =
            Guest.newBuilder()
                    .setNamespace("k8s.io")
                    .setId("fedcba")
                    .setPodNamespace("default")
                    .setPodName("hello")
                    .setState("running")
                    .setKind("pause")
                    .setCreatedAt(FakeAtoll.secondsAgo(200_000))
                    .build();

    private FakeAtoll daemon = new FakeAtoll(List.of(RUNNING, STOPPED, PAUSE), Optional.empty());

    @AfterEach
    void stopDaemon() {
        daemon.close();
    }

    @Test
    void guestsAreListedAsATableThatTerminalsSurvive() {
        Terminal terminal = terminal();

        int status = terminal.run("ps");

        assertThat(status).isZero();
        assertThat(terminal.out())
                .isEqualTo(
                        """
                        ID            POD                 CONTAINER  STATE          KIND       MEMORY   CPU      AGE    CACHE
                        0123456789ab  default/hello       app        running        component  1.3 MiB  12.3 ms  3m10s  hit
                        short         default/evil?[31m?  app        stopped (137)  module     0 B      0.0 ms   60m    miss
                        """);
        assertThat(terminal.err()).isEmpty();
    }

    @Test
    void theWideTableTellsWhatServersAndTheNetworkDo() {
        Terminal terminal = terminal();

        terminal.run("ps", "--wide", "--all");

        assertThat(terminal.out())
                .isEqualTo(
                        """
                        ID            POD                 CONTAINER  STATE          KIND       MEMORY   CPU      AGE    CACHE  ROLE     LIMIT    THROTTLED  REQUESTS  TRAPPED  REFUSED  ACTIVE  SOCKETS  DENIED
                        0123456789ab  default/hello       app        running        component  1.3 MiB  12.3 ms  3m10s  hit    server   128 MiB  1.50 s     1234      5        67       8       11       12
                        short         default/evil?[31m?  app        stopped (137)  module     0 B      0.0 ms   60m    miss   command  -        -          -         -        -        -       0        0
                        fedcba        default/hello       -          running        pause      -        -        2d7h   -      -        -        -          -         -        -        -       -        -
                        """);
    }

    @Test
    void wideAndJsonExcludeEachOther() {
        Terminal terminal = terminal();

        assertThat(terminal.run("ps", "--wide", "--json")).isEqualTo(CommandLine.WRONG_USAGE);
        assertThat(terminal.err())
                .isEqualTo(
                        "atoll: --wide and --json exclude each other: JSON has everything: see atoll ps --help\n");
    }

    @Test
    void pausesAreListedOnRequest() {
        Terminal terminal = terminal();

        terminal.run("ps", "--all");

        assertThat(terminal.out())
                .containsPattern("fedcba +default/hello +- +running +pause +- +- +2d7h +-\n");
    }

    @Test
    void guestsAreListedAsJsonWithExactValues() {
        Terminal terminal = terminal();

        terminal.run("ps", "--json");

        JsonArray guests = JsonParser.parseString(terminal.out()).getAsJsonArray();
        assertThat(guests).hasSize(2);
        JsonObject running = guests.get(0).getAsJsonObject();
        assertThat(running.get("id").getAsString()).isEqualTo("0123456789abcdef0123");
        assertThat(running.get("memoryBytes").getAsLong()).isEqualTo(1_310_720);
        assertThat(running.get("startedAt").getAsString()).isEqualTo("2026-01-01T23:56:51Z");
        assertThat(running.has("exitStatus")).isFalse();
        assertThat(running.get("role").getAsString()).isEqualTo("server");
        assertThat(running.get("requests").getAsLong()).isEqualTo(1234);
        assertThat(running.get("requestsInProgress").getAsLong()).isEqualTo(8);
        assertThat(running.get("policyRefusals").getAsLong()).isEqualTo(12);
        assertThat(guests.get(1).getAsJsonObject().has("requests")).isFalse();
        assertThat(guests.get(1).getAsJsonObject().get("openSockets").getAsLong()).isZero();
        assertThat(guests.get(1).getAsJsonObject().get("exitStatus").getAsInt()).isEqualTo(137);
    }

    @Test
    void theDaemonIsDescribedInTextAndJson() {
        Terminal terminal = terminal();

        terminal.run("info");
        String text = terminal.out();
        terminal.run("info", "--json");

        assertThat(text)
                .isEqualTo(
                        """
                        version  0.1.0
                        pid      4711
                        age      3m20s
                        tasks    3
                        engine   {"version":"48.0.8","slots":1000}
                        """);
        JsonObject json = JsonParser.parseString(terminal.out()).getAsJsonObject();
        assertThat(json.getAsJsonObject("engine").get("slots").getAsInt()).isEqualTo(1000);
    }

    @Test
    void anOlderDaemonIsNamedAsTheCause() {
        daemon.close();
        daemon = new FakeAtoll(List.of(), Optional.of(Status.UNIMPLEMENTED));
        Terminal terminal = terminal();

        int status = terminal.run("ps");

        assertThat(status).isEqualTo(CommandLine.FAILED);
        assertThat(terminal.out()).isEmpty();
        assertThat(terminal.err())
                .isEqualTo(
                        "atoll: the daemon at /fake/api.sock does not know this request: it is older than this command; use the atoll that came with it\n");
    }

    @Test
    void aMissingDaemonIsOneSentence(@TempDir Path directory) {
        Terminal terminal =
                new Terminal(
                        new PsCommand(
                                DaemonClient.opener(Map.of("ATOLL_RUN_DIR", directory.toString())),
                                () -> FakeAtoll.NOW));

        int status = terminal.run("ps");

        assertThat(status).isEqualTo(CommandLine.FAILED);
        assertThat(terminal.err())
                .startsWith("atoll: no daemon answers at %s/api.sock: ".formatted(directory))
                .hasLineCount(1);
    }

    private Terminal terminal() {
        return new Terminal(
                new PsCommand(daemon.opener(), () -> FakeAtoll.NOW),
                new InfoCommand(daemon.opener(), () -> FakeAtoll.NOW));
    }
}
