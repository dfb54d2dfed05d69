package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.spec.RuntimeSpec.ProcessSpec;
import dev.atoll.oci.spec.RuntimeSpec.User;
import dev.atoll.sandbox.ExecRequest;
import dev.atoll.sandbox.InvalidWorkload;
import dev.atoll.sandbox.SandboxExhausted;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.TerminalSize;
import dev.atoll.sandbox.Workload;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A command whose program takes as long to be loaded as the test likes.
@Timeout(value = 30, unit = TimeUnit.SECONDS)
final class ExecutedGuestTest {
    private final CompletableFuture<Boolean> loadable = new CompletableFuture<>();
    private final CompletableFuture<WorkloadEnd> end = new CompletableFuture<>();
    private final CompletableFuture<String> guestClosed = new CompletableFuture<>();
    private final CompletableFuture<String> guestStarted = new CompletableFuture<>();
    private final AtomicReference<FakeGuest> made = new AtomicReference<>();
    private final ExecutedGuest command = command(true);

    private ExecutedGuest command(boolean terminal) {
        return new ExecutedGuest(
                new ExecRequest(
                        "e1",
                        new ProcessSpec(
                                terminal,
                                new User(0, 0, List.of()),
                                List.of("cat"),
                                List.of(),
                                "/"),
                        Stdio.NONE),
                _ -> load());
    }

    private Workload load() {
        if (!loadable.join()) {
            throw new SandboxExhausted("no room for another guest");
        }
        Closers closers = new Closers();
        closers.add(() -> guestClosed.complete("closed"));
        WasmGuest guest =
                new WasmGuest(
                        "e1",
                        new WorkloadDescription("module", "command", "p", true),
                        closers,
                        GuestDefaults.NONE,
                        WasmGuest.NO_COMMANDS,
                        onEnd -> {
                            made.set(new FakeGuest(onEnd, () -> guestStarted.complete("started")));
                            return made.get();
                        });
        return guest;
    }

    @Test
    void itRunsWhileItsProgramIsLoadedAndASignalEndsIt() {
        command.start(end::complete);
        assertThat(end).isNotDone();

        command.signal(9);

        assertThat(end).isCompletedWithValue(new WorkloadEnd.Signalled(9));
        assertThatThrownBy(() -> command.signal(9)).isInstanceOf(WorkloadEnded.class);
        loadable.complete(true);
        assertThat(guestClosed.join()).isEqualTo("closed");
        assertThat(made.get().calls).containsExactly("close");
    }

    @Test
    void aSignalThatComesJustWhenTheProgramIsLoadedEndsIt() {
        for (int i = 0; i < 20_000; i++) {
            new ExecutedGuestTest().raceASignalWithTheLoad(i % 1_000);
        }
    }

    private void raceASignalWithTheLoad(int spins) {
        command.start(end::complete);
        loadable.complete(true);
        // So that the moments differ.
        for (int i = 0; i < spins; i++) {
            Thread.onSpinWait();
        }

        command.signal(15);

        assertThat(end.isDone() || made.get().calls.contains("stop 15"))
                .as("either the load or the guest is ended")
                .isTrue();
    }

    @Test
    void signalsIgnoredByDefaultAndSignalZeroDoNotEndALoad() {
        command.start(end::complete);

        command.signal(0);
        command.signal(28);

        assertThat(end).isNotDone();
    }

    @Test
    void closingEndsALoad() {
        command.start(end::complete);

        command.close();

        assertThat(end).isCompletedWithValue(new WorkloadEnd.Signalled(9));
        loadable.complete(true);
        assertThat(guestClosed.join()).isEqualTo("closed");
    }

    @Test
    void whatWasAskedForDuringTheLoadIsDoneAfterIt() {
        command.start(end::complete);
        command.closeStdin();
        command.resize(new TerminalSize(80, 24));

        loadable.complete(true);

        assertThat(guestStarted.join()).isEqualTo("started");
        command.signal(15);
        assertThat(made.get().calls)
                .containsExactly("start", "closeStdin", "resize 80x24", "stop 15");
    }

    @Test
    void aLoadedCommandIsItsGuest() {
        loadable.complete(true);
        command.start(end::complete);
        assertThat(guestStarted.join()).isEqualTo("started");
        command.resize(new TerminalSize(1, 2));

        made.get().drained();

        assertThat(end.join()).isEqualTo(new WorkloadEnd.Exited(0));
        assertThat(command.usage().cpuNanos()).isEqualTo(50);
        assertThat(command.description().role()).isEqualTo("command");
        command.close();
        assertThat(guestClosed).isCompleted();
    }

    @Test
    void whatCannotBeLoadedEndsAsFailed() {
        loadable.complete(false);

        command.start(end::complete);

        assertThat(end.join()).isEqualTo(new WorkloadEnd.Failed("no room for another guest"));
        assertThat(command.usage()).isEqualTo(WorkloadUsage.NONE);
    }

    @Test
    void itIsStartedOnce() {
        command.start(end::complete);

        assertThatThrownBy(() -> command.start(end::complete))
                .isInstanceOf(SandboxFailure.class)
                .hasMessageContaining("e1");
        command.close();
        assertThatThrownBy(() -> command.start(end::complete)).isInstanceOf(WorkloadEnded.class);
    }

    @Test
    void withoutATerminalItHasNoSizeAndNothingIsExecutedInIt() {
        assertThatThrownBy(() -> command(false).resize(new TerminalSize(80, 24)))
                .isInstanceOf(InvalidWorkload.class)
                .hasMessage("exec e1 has no terminal, so no size of one");
        ExecRequest inner =
                new ExecRequest(
                        "e2",
                        new ProcessSpec(
                                false, new User(0, 0, List.of()), List.of("x"), List.of(), "/"),
                        Stdio.NONE);
        assertThatThrownBy(() -> command.exec(inner)).isInstanceOf(InvalidWorkload.class);
    }
}
