package dev.atoll.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.atoll.cri.v1.LinuxContainerResources;
import dev.atoll.e2e.image.Artifact;
import dev.atoll.e2e.node.NodeProcess;
import dev.atoll.e2e.pod.ContainerRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Guests that attack the node. Each harms only itself: a well-behaved neighbour is measured before
/// and during the attack, and nothing is left afterwards.
///
/// What the neighbour is granted to suffer is generous, since the machine may be busy with other
/// things: its answers may take twenty times as long as when it is quiet, or 50 ms if that is more,
/// and its heart may beat a fifth as often. A neighbour that is starved suffers thousands of times
/// as much.
@OneNode
class HostileGuestsE2E {
    private static final long MEBIBYTE = 1 << 20;
    private static final long MEMORY_LIMIT = 64 * MEBIBYTE;
    private static final int SLOWER = 20;
    private static final Duration SLOWEST = Duration.ofMillis(50);
    private static final int FEWER_BEATS = 5;

    /// What the daemon may take of a pool, of heap and of compiled code meanwhile.
    private static final long TAKEN = 160 * MEBIBYTE;

    /// What it may keep of that.
    private static final long KEPT = 96 * MEBIBYTE;

    /// What compiling the hardest program that is accepted may take meanwhile.
    private static final long COMPILING = 768 * MEBIBYTE;

    private static final long KIBIBYTE = 1024;

    /// Which attacks to make: a regular expression of their names.
    private static final String ATTACKS = System.getProperty("atoll.e2e.attacks", ".*");

    private final TestNode on;

    HostileGuestsE2E(TestNode on) {
        this.on = on;
    }

    @BeforeEach
    void onlyForAtoll() {
        assumeFalse(TestNode.isNative(), "the attacks are those of wasm guests");
    }

    /// @param name for reports
    /// @param pods how many do it at once
    /// @param overhead bytes that the daemon may take meanwhile, beside the memory that its guests
    ///   may have
    /// @param container what they run
    /// @param end what their containers' ends look like: a regular expression for reason and exit
    ///   code, or for a refusal; the one of a container that was killed after it had survived is
    ///   `Error 137`
    record Attack(
            String name,
            int pods,
            long overhead,
            Function<TestNode, ContainerRequest> container,
            String end) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Attack guest(String name, int pods, String end, String... words) {
        return new Attack(name, pods, TAKEN, on -> on.guestOf("hostile.p2.wasm", words), end);
    }

    private static Attack program(String name, String end, Supplier<Path> program) {
        return new Attack(
                name,
                1,
                COMPILING,
                on -> ContainerRequest.of(on.images().push(Artifact.of(program.get()))),
                end);
    }

    /// One readable line of a reasonable length.
    private static String refusal(String word) {
        return "refused: [^\\p{Cntrl}]{0,2000}" + word + "[^\\p{Cntrl}]{0,2000}";
    }

    private static final String OUT_OF_MEMORY = "OOMKilled 137";
    private static final String KILLED = "Error 137";
    private static final String TRAPPED = "Error 134";

    static Stream<Attack> attacks() {
        return all().filter(attack -> attack.name().matches(ATTACKS));
    }

    private static Stream<Attack> all() {
        return Stream.of(
                guest("memory", 2, OUT_OF_MEMORY, "memory"),
                program("growing tables", KILLED, Bombs::tables),
                program(
                        "large memories",
                        "OOMKilled 137|refused: .*memor.*",
                        () -> Bombs.memories(1)),
                program(
                        "many memories",
                        "OOMKilled 137|refused: .*memor.*",
                        () -> Bombs.memories(1000)),
                program("many instances", "refused: .*|Error 1..", () -> Bombs.instances(10_000)),
                new Attack(
                        "recursion",
                        2,
                        TAKEN,
                        on -> on.guestOf("guest.p2.wasm", "overflow"),
                        TRAPPED),
                guest("pollables", 2, "Error 1..|OOMKilled 137", "pollables"),
                guest("streams", 2, "Error 1..|OOMKilled 137", "streams"),
                guest("header fields", 2, "Error 1..|OOMKilled 137", "fields"),
                guest("outgoing requests", 2, "Error 1..|OOMKilled 137", "requests"),
                guest("tcp sockets", 2, KILLED, "tcp-sockets"),
                guest("udp sockets", 2, KILLED, "udp-sockets"),
                guest(
                        "lookups of names",
                        2,
                        "Error 1..|OOMKilled 137",
                        "lookups",
                        "nobody.example.test"),
                guest("half-open connections", 2, KILLED, "connections", "10.88.255.254:9"),
                guest(
                        "exchanges without an answer",
                        2,
                        "Error 1..|OOMKilled 137",
                        "exchanges",
                        "10.88.255.254:9"),
                guest("random numbers without end", 1, "Error 1..|OOMKilled 137", "random"),
                guest(
                        "reading at once without end",
                        1,
                        "Completed 0|Error 1..|OOMKilled 137",
                        "read-input"),
                guest(
                        "writing zeros without end",
                        1,
                        "Completed 0|Error 1..|OOMKilled 137",
                        "write-zeros"),
                guest("polling a million", 1, "Error 1..|OOMKilled 137", "poll-many"),
                guest("spinning", 4, KILLED, "spin"),
                guest("calls without end", 4, KILLED, "calls"),
                guest("wake-ups without end", 4, KILLED, "wake-ups"),
                guest("flood of output", 2, KILLED, "flood"),
                guest("flood of errors", 2, KILLED, "flood-errors"),
                guest("writing files", 2, KILLED, "rewrite", "/flood"),
                program("many functions", "Completed 0|Error 1..", () -> Bombs.functions(50_000)),
                program("too many functions", refusal("too large"), () -> Bombs.functions(200_000)),
                program("nesting", "Completed 0", () -> Bombs.nesting(100_000)),
                program("too deep nesting", refusal("too hard"), () -> Bombs.nesting(500_000)),
                program(
                        "jump tables",
                        "Completed 0|" + refusal("too hard"),
                        () -> Bombs.jumpTables(30)),
                program("variables", refusal("too hard"), () -> Bombs.variables(5_000)),
                program("data", OUT_OF_MEMORY, () -> Bombs.data(70)),
                program("imports", refusal("imports"), () -> Bombs.imports(10_000)),
                program("names", refusal("_start"), () -> Bombs.names(90_000)),
                program("endless instantiation", KILLED, Bombs::endlessStart));
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void anAttackHarmsOnlyTheAttacker(Attack attack) throws IOException {
        ContainerRequest container = limited(attack.container().apply(on));
        Map<String, Integer> before;
        List<Long> daemons;
        try (Neighbour neighbour = Neighbour.run(on)) {
            daemons = daemons();
            Neighbour.Quality quiet = neighbour.measure();
            before = Leftovers.of(on.node()).counts();
            long memory = memory(NodeProcess::proportionalMemory);
            long resident = memory(NodeProcess::forgetPeakMemory);
            Neighbour.Quality attacked;
            long held;
            try (Assault assault = Assault.start(on, container, attack.pods())) {
                assault.awaitFirst();
                attacked = neighbour.measure();
                assault.end();
                held = memory(NodeProcess::peakMemory) - resident;

                System.out.printf(
                        "attack by %s: neighbour quiet %s; attacked %s; %d MiB more at most; %s%n",
                        attack, quiet, attacked, held / MEBIBYTE, summary(assault.ends()));
                assertThat(assault.failures()).isEmpty();
                assertThat(assault.ends())
                        .isNotEmpty()
                        .allMatch(end -> end.matches("(?s)" + attack.end()) || end.equals(KILLED));
            }
            assertThat(held).isLessThan(attack.overhead() + attack.pods() * MEMORY_LIMIT);
            assertThat(attacked.median()).isLessThan(bound(quiet.median()));
            assertThat(attacked.beats()).isGreaterThan(quiet.beats() / FEWER_BEATS);
            assertThat(daemons()).isEqualTo(daemons);
            awaitNothingLeft(before, memory);
            System.out.printf(
                    "attack by %s: %d MiB left%n",
                    attack, (memory(NodeProcess::proportionalMemory) - memory) / MEBIBYTE);
        }
    }

    private static Duration bound(Duration quiet) {
        Duration slower = quiet.multipliedBy(SLOWER);
        return slower.compareTo(SLOWEST) > 0 ? slower : SLOWEST;
    }

    private static String summary(List<String> ends) {
        return ends.stream()
                        .map(end -> end.substring(0, Math.min(end.length(), 300)))
                        .distinct()
                        .limit(3)
                        .toList()
                + " in "
                + ends.size();
    }

    private static ContainerRequest limited(ContainerRequest container) {
        return container.with(config -> {
            config.getLinuxBuilder()
                    .setResources(
                            LinuxContainerResources.newBuilder()
                                    .setMemoryLimitInBytes(MEMORY_LIMIT)
                                    .setCpuPeriod(100_000)
                                    .setCpuQuota(50_000)
                                    .setCpuShares(512));
            return config;
        });
    }

    private List<Long> daemons() {
        return on.node().daemons().stream().map(NodeProcess::pid).toList();
    }

    private interface Memory {
        /// Returns a number of KiB.
        long of(NodeProcess daemon) throws IOException;
    }

    private long memory(Memory memory) {
        long kibibytes = 0;
        for (NodeProcess daemon : on.node().daemons()) {
            try {
                kibibytes += memory.of(daemon);
            } catch (IOException e) {
                throw new UncheckedIOException("look at daemon " + daemon.pid(), e);
            }
        }
        return kibibytes * KIBIBYTE;
    }

    /// Compiled code of new programs stays, on disk and for a while in memory; idle threads may
    /// still be ending.
    private void awaitNothingLeft(Map<String, Integer> before, long memory) {
        Awaitility.await("nothing left of the attack")
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> {
                    Map<String, Integer> after = Leftovers.of(on.node()).counts();
                    after.remove("files in /var/lib/atoll");
                    // The code of the attacker's program, which is mapped, is kept for the next
                    // container.
                    after.merge("open files of the daemon", -1, Integer::sum);
                    Leftovers.assertNoMore(before, after);
                    assertThat(memory(NodeProcess::proportionalMemory) - memory)
                            .as("memory of the daemon")
                            .isLessThan(KEPT);
                });
    }
}
