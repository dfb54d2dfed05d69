package dev.atoll.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.CpuThrottling;
import dev.atoll.sandbox.NetworkUsage;
import dev.atoll.sandbox.SandboxFailure;
import dev.atoll.sandbox.ServerUsage;
import dev.atoll.sandbox.WorkloadDescription;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadEnded;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is asked of the engine, and when.
final class WasmGuestTest {
    private final AtomicReference<FakeGuest> made = new AtomicReference<>();
    private final List<WorkloadEnd> ends = new ArrayList<>();
    private final WasmGuest workload =
            new WasmGuest(
                    "k8s.io/c1",
                    new WorkloadDescription("component", "server", "p", true),
                    new Closers(),
                    GuestDefaults.NONE,
                    WasmGuest.NO_COMMANDS,
                    onEnd -> {
                        made.set(new FakeGuest(onEnd));
                        return made.get();
                    });
    private final FakeGuest guest = made.get();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 15})
    void aSignalAsksARunningGuestToStop(int signal) {
        workload.start(ends::add);

        workload.signal(signal);

        assertThat(guest.calls).containsExactly("start", "stop " + signal);
        assertThat(ends).isEmpty();
    }

    @Test
    void sigkillKillsIt() {
        workload.start(ends::add);

        workload.signal(9);

        assertThat(guest.calls).containsExactly("start", "kill 9");
    }

    @Test
    void aServerThatHasDrainedExitsWithZero() {
        workload.start(ends::add);
        workload.signal(15);

        guest.drained();

        assertThat(ends).containsExactly(new WorkloadEnd.Exited(0));
        assertThatThrownBy(() -> workload.signal(15))
                .isInstanceOf(WorkloadEnded.class)
                .hasMessage("k8s.io/c1 has ended with status 0");
    }

    @Test
    void anotherStopSignalChangesNothingWhileItDrains() {
        workload.start(ends::add);
        workload.signal(15);

        workload.signal(15);
        workload.signal(2);
        workload.signal(0);
        workload.signal(28);

        assertThat(guest.calls).containsExactly("start", "stop 15");
    }

    @Test
    void sigkillCutsADrainShort() {
        workload.start(ends::add);
        workload.signal(15);

        workload.signal(9);
        guest.killed(9);

        assertThat(guest.calls).containsExactly("start", "stop 15", "kill 9");
        assertThat(ends).containsExactly(new WorkloadEnd.Signalled(9));
    }

    @Test
    void closingCutsADrainShortAndReleasesItAtItsEnd() {
        workload.start(ends::add);
        workload.signal(15);

        workload.close();
        assertThat(guest.calls).containsExactly("start", "stop 15", "kill 9");
        guest.killed(9);

        assertThat(guest.calls).endsWith("kill 9", "close");
        assertThat(ends).containsExactly(new WorkloadEnd.Signalled(9));
    }

    @Test
    void whileItDrainsItIsMeasuredAndCannotBeStarted() {
        workload.start(ends::add);
        workload.signal(15);

        assertThat(workload.usage())
                .isEqualTo(
                        new WorkloadUsage(
                                1,
                                2,
                                3,
                                20,
                                22,
                                new CpuThrottling(17, 18, 19),
                                new ServerUsage(9, 10, 11, 12, 13, 16),
                                new NetworkUsage(14, 15)));
        assertThatThrownBy(() -> workload.start(ends::add)).isInstanceOf(SandboxFailure.class);
    }

    @Test
    void whatIsCountedIsKnownAfterItsEndAndNothingIsOpenThen() {
        workload.start(ends::add);

        guest.drained();

        assertThat(workload.usage())
                .isEqualTo(
                        new WorkloadUsage(
                                50,
                                0,
                                60,
                                20,
                                22,
                                new CpuThrottling(17, 18, 19),
                                new ServerUsage(9, 10, 11, 0, 0, 0),
                                new NetworkUsage(0, 15)));
    }

    @Test
    void itsLimitsChangeUntilItHasEnded() {
        workload.update(Resources.NONE.withMemoryLimit(1));
        workload.start(ends::add);
        workload.update(Resources.NONE.withMemoryLimit(2));
        workload.signal(15);
        workload.update(Resources.NONE.withMemoryLimit(3));
        guest.drained();

        assertThat(guest.calls)
                .containsExactly("update 1", "start", "update 2", "stop 15", "update 3");
        assertThatThrownBy(() -> workload.update(Resources.NONE))
                .isInstanceOf(WorkloadEnded.class)
                .hasMessageContaining("has ended with status 0");
    }

    @Test
    void oneThatWasNotStartedIsKilledByAnySignal() {
        workload.signal(15);

        assertThat(guest.calls).containsExactly("kill 15");
    }

    @Test
    void aSignalThatComesTooLateSaysSoAndItsEndStillCounts() {
        workload.start(ends::add);
        guest.drained();

        assertThatThrownBy(() -> workload.signal(9)).isInstanceOf(WorkloadEnded.class);
        assertThat(ends).containsExactly(new WorkloadEnd.Exited(0));
    }

    @Test
    void aFailedStartIsToldAndLeavesAGuestThatCanBeClosed() {
        guest.startFailure = "cannot listen on 0.0.0.0:80: Address already in use";

        assertThatThrownBy(() -> workload.start(ends::add))
                .isInstanceOf(SandboxFailure.class)
                .hasMessage("cannot listen on 0.0.0.0:80: Address already in use");
        workload.close();

        assertThat(guest.calls).containsExactly("start", "close");
        assertThat(ends).isEmpty();
    }
}
