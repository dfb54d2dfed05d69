package dev.atoll.shim.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.atoll.oci.ContainerKey;
import dev.atoll.oci.spec.RuntimeSpec.Resources;
import dev.atoll.sandbox.Stdio;
import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.shim.status.FailedPrecondition;
import dev.atoll.shim.status.InvalidArgument;
import dev.atoll.shim.status.NotFound;
import dev.atoll.shim.testing.FakeWorkload;
import dev.atoll.shim.testing.Fakes;
import dev.atoll.shim.testing.RecordingEvents;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class TaskLifecycleTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    /// Operations of the table below.
    private enum Operation {
        START,
        KILL,
        SIGNAL_ZERO,
        DELETE,
        FORGET,
        UPDATE,
        CREATED
    }

    private final RecordingEvents events = new RecordingEvents();
    private final FakeWorkload workload = new FakeWorkload(FakeWorkload.Start.RUNS, false);

    /// What each operation does in each state: the state after it, or the refusal.
    private static final Map<Class<?>, Map<Operation, Object>> TABLE =
            Map.of(
                    TaskState.Creating.class,
                    Map.of(
                            Operation.UPDATE, FailedPrecondition.class,
                            Operation.START, FailedPrecondition.class,
                            Operation.KILL, "stopped",
                            Operation.SIGNAL_ZERO, "creating",
                            Operation.DELETE, "deleted",
                            Operation.FORGET, "deleted",
                            Operation.CREATED, "created"),
                    TaskState.Created.class,
                    Map.of(
                            Operation.UPDATE, "created",
                            Operation.START, "running",
                            Operation.KILL, "stopped",
                            Operation.SIGNAL_ZERO, "created",
                            Operation.DELETE, "deleted",
                            Operation.FORGET, "deleted",
                            Operation.CREATED, "created"),
                    TaskState.Starting.class,
                    Map.of(
                            Operation.UPDATE, "starting",
                            Operation.START, FailedPrecondition.class,
                            Operation.KILL, "starting",
                            Operation.SIGNAL_ZERO, "starting",
                            Operation.DELETE, FailedPrecondition.class,
                            Operation.FORGET, "deleted",
                            Operation.CREATED, "starting"),
                    TaskState.Running.class,
                    Map.of(
                            Operation.UPDATE, "running",
                            Operation.START, FailedPrecondition.class,
                            Operation.KILL, "stopped",
                            Operation.SIGNAL_ZERO, "running",
                            Operation.DELETE, FailedPrecondition.class,
                            Operation.FORGET, "deleted",
                            Operation.CREATED, "running"),
                    TaskState.Stopped.class,
                    Map.of(
                            Operation.UPDATE,
                            FailedPrecondition.class,
                            Operation.START,
                            FailedPrecondition.class,
                            Operation.KILL,
                            NotFound.class,
                            Operation.SIGNAL_ZERO,
                            NotFound.class,
                            Operation.DELETE,
                            "deleted",
                            Operation.FORGET,
                            "deleted",
                            Operation.CREATED,
                            "stopped"),
                    TaskState.Deleting.class,
                    Map.of(
                            Operation.UPDATE, NotFound.class,
                            Operation.START, NotFound.class,
                            Operation.KILL, NotFound.class,
                            Operation.SIGNAL_ZERO, NotFound.class,
                            Operation.DELETE, NotFound.class,
                            Operation.FORGET, "deleting",
                            Operation.CREATED, "deleting"),
                    TaskState.Deleted.class,
                    Map.of(
                            Operation.UPDATE, NotFound.class,
                            Operation.START, NotFound.class,
                            Operation.KILL, NotFound.class,
                            Operation.SIGNAL_ZERO, NotFound.class,
                            Operation.DELETE, NotFound.class,
                            Operation.FORGET, "deleted",
                            Operation.CREATED, "deleted"));

    @TestFactory
    Stream<DynamicTest> everyOperationInEveryState() {
        return Arrays.stream(TaskState.class.getPermittedSubclasses())
                .flatMap(state ->
                        Arrays.stream(Operation.values())
                                .map(operation ->
                                        DynamicTest.dynamicTest(
                                                operation + " in " + state.getSimpleName(),
                                                () -> check(state, operation))));
    }

    private static void check(Class<?> state, Operation operation) throws InterruptedException {
        assertThat(TABLE).as("a new state needs a row").containsKey(state);
        Object expected = TABLE.getOrDefault(state, Map.of()).get(operation);
        try (InState subject = new InState(state)) {
            Throwable refusal = catchThrowable(() -> subject.run(operation));

            if (expected instanceof Class<?> type) {
                assertThat(refusal).isInstanceOf(type);
                assertThat(refusal.getMessage()).doesNotContain("\n").contains("c1");
            } else {
                assertThat(refusal).isNull();
                assertThat(subject.task.state().word()).isEqualTo(expected);
            }
        }
    }

    /// A task brought to a state; where that is a passing one, another thread is held in it.
    private static final class InState implements AutoCloseable {
        private final TaskLifecycle task;
        private final Blocking blocking = new Blocking();

        InState(Class<?> state) throws InterruptedException {
            task = lifecycle(new RecordingEvents());
            if (state == TaskState.Creating.class) {
                return;
            }
            if (state == TaskState.Starting.class) {
                blocking.blockStart = true;
            }
            if (state == TaskState.Deleting.class) {
                blocking.blockClose = true;
            }
            task.created(blocking.made());
            if (state == TaskState.Starting.class) {
                blocking.inBackground(task::start);
            } else if (state == TaskState.Running.class) {
                task.start();
            } else if (state == TaskState.Stopped.class) {
                task.kill(9);
            } else if (state == TaskState.Deleting.class) {
                blocking.inBackground(task::delete);
            } else if (state == TaskState.Deleted.class) {
                task.delete();
            }
            assertThat(task.state()).isInstanceOf(state);
        }

        void run(Operation operation) {
            switch (operation) {
                case START -> task.start();
                case KILL -> task.kill(9);
                case SIGNAL_ZERO -> task.kill(0);
                case DELETE -> task.delete();
                case FORGET -> task.forget();
                case UPDATE -> task.update(Resources.NONE);
                case CREATED -> {
                    boolean accepted = task.created(blocking.made());
                    assertThat(accepted).isEqualTo(blocking.firstMade());
                }
            }
        }

        @Override
        public void close() {
            blocking.release();
        }
    }

    private static TaskLifecycle lifecycle(EventSink events) {
        return new TaskLifecycle(
                new TaskConfig(
                        new ContainerKey("k8s.io", "c1"),
                        "",
                        "/b",
                        List.of(),
                        Stdio.NONE,
                        false,
                        ""),
                42,
                events,
                InstantSource.fixed(NOW));
    }

    private static MadeWorkload made(FakeWorkload workload) {
        return new MadeWorkload(workload, Fakes.spec(Map.of()), false, NOW);
    }

    private static final class Recorder implements ExitWaiter {
        private final List<ExitRecord> exits = new ArrayList<>();

        @Override
        public synchronized void ended(ExitRecord exit) {
            exits.add(exit);
        }

        @Override
        public boolean isAbandoned() {
            return false;
        }
    }

    @Test
    void eventsComeInOrderFromCreateToDelete() {
        TaskLifecycle task = lifecycle(events);

        task.created(made(workload));
        task.start();
        workload.end(new WorkloadEnd.Exited(3));
        ExitRecord exit = task.delete();

        assertThat(events.topics())
                .containsExactly("/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete");
        assertThat(exit).isEqualTo(new ExitRecord(3, NOW, false));
        assertThat(workload.isClosed()).isTrue();
    }

    @Test
    void anEndDuringStartIsToldAfterTheStart() {
        FakeWorkload quick = new FakeWorkload(FakeWorkload.Start.ENDS_AT_ONCE, false);
        TaskLifecycle task = lifecycle(events);

        task.created(made(quick));
        task.start();

        assertThat(events.topics()).containsExactly("/tasks/create", "/tasks/start", "/tasks/exit");
        assertThat(task.state()).isInstanceOf(TaskState.Stopped.class);
    }

    @Test
    void outOfMemoryIsToldBeforeTheExit() {
        TaskLifecycle task = lifecycle(events);
        task.created(made(workload));
        task.start();

        workload.end(new WorkloadEnd.OutOfMemory());

        assertThat(events.topics())
                .containsExactly("/tasks/create", "/tasks/start", "/tasks/oom", "/tasks/exit");
        assertThat(task.state().ended()).contains(new ExitRecord(137, NOW, true));
    }

    @Test
    void aContainerEndsOutOfMemoryWithWhatWasExecutedInIt() {
        TaskLifecycle task = lifecycle(events);
        task.created(made(workload));
        task.start();
        OutOfMemoryGroup group = new OutOfMemoryGroup(task);

        group.ended(new ExitRecord(137, NOW, false));
        assertThat(task.state()).isInstanceOf(TaskState.Running.class);
        group.ended(new ExitRecord(137, NOW, true));

        assertThat(workload.signals).containsExactly(9);
        assertThat(task.state().ended()).contains(new ExitRecord(137, NOW, true));
        assertThat(events.topics()).contains("/tasks/oom");
        group.ended(new ExitRecord(137, NOW, true));
    }

    @Test
    void aFailedStartStopsTheTaskWithStatus128() {
        TaskLifecycle task = lifecycle(events);
        Recorder waiter = new Recorder();
        task.created(made(new FakeWorkload(FakeWorkload.Start.FAILS, false)));
        task.onExit(waiter);

        assertThatThrownBy(task::start).hasMessage("no slot");

        assertThat(waiter.exits).containsExactly(new ExitRecord(128, NOW, false));
        assertThat(events.topics()).containsExactly("/tasks/create", "/tasks/exit");
    }

    @Test
    void aTaskWhoseStartFailedIsDeletedCleanly() {
        TaskLifecycle task = lifecycle(events);
        FakeWorkload refused = new FakeWorkload(FakeWorkload.Start.FAILS, false);
        task.created(made(refused));
        assertThatThrownBy(task::start).hasMessage("no slot");

        ExitRecord exit = task.delete();

        assertThat(exit).isEqualTo(new ExitRecord(128, NOW, false));
        assertThat(refused.isClosed()).isTrue();
        assertThat(task.state()).isInstanceOf(TaskState.Deleted.class);
        assertThat(events.topics())
                .containsExactly("/tasks/create", "/tasks/exit", "/tasks/delete");
    }

    @Test
    void killOfACreatedTaskEndsItWith137AndCompletesTheWaiters() {
        TaskLifecycle task = lifecycle(events);
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        task.created(made(workload));
        task.onExit(first);
        task.onExit(second);

        task.kill(15);

        assertThat(first.exits).containsExactly(new ExitRecord(137, NOW, false));
        assertThat(second.exits).isEqualTo(first.exits);
        Recorder late = new Recorder();
        task.onExit(late);
        assertThat(late.exits).isEqualTo(first.exits);
    }

    @Test
    void aWorkloadMadeAfterTheKillIsNotTaken() {
        TaskLifecycle task = lifecycle(events);

        task.kill(9);

        assertThat(task.created(made(workload))).isFalse();
        assertThat(events.topics()).isEmpty();
        assertThat(task.delete().status()).isEqualTo(137);
        assertThat(events.topics()).isEmpty();
    }

    @Test
    void aSignalDuringStartIsDeliveredOnceTheTaskRuns() throws InterruptedException {
        TaskLifecycle task = lifecycle(events);
        Blocking blocking = new Blocking();
        blocking.blockStart = true;
        task.created(blocking.made());
        blocking.inBackground(task::start);

        task.kill(15);
        blocking.release();

        assertThat(blocking.workload.signals).containsExactly(15);
        assertThat(task.state().ended()).contains(new ExitRecord(143, NOW, false));
    }

    @Test
    void aTaskForgottenDuringStartIsReleased() throws InterruptedException {
        TaskLifecycle task = lifecycle(events);
        Blocking blocking = new Blocking();
        blocking.blockStart = true;
        task.created(blocking.made());
        blocking.inBackground(() -> assertThatThrownBy(task::start).isInstanceOf(NotFound.class));

        ExitRecord exit = task.forget();
        blocking.release();

        assertThat(exit.status()).isEqualTo(137);
        assertThat(task.state()).isInstanceOf(TaskState.Deleted.class);
        assertThat(blocking.workload.isClosed()).isTrue();
        assertThat(events.topics()).containsExactly("/tasks/create");
    }

    @Test
    void signalsThatDoNotExistOrWouldHaltAreRefused() {
        TaskLifecycle task = lifecycle(events);
        task.created(made(workload));

        assertThatThrownBy(() -> task.kill(65)).isInstanceOf(InvalidArgument.class);
        assertThatThrownBy(() -> task.kill(-1)).isInstanceOf(InvalidArgument.class);
        assertThatThrownBy(() -> task.kill(19)).isInstanceOf(InvalidArgument.class);
        task.kill(17);
        assertThat(task.state()).isInstanceOf(TaskState.Created.class);
    }

    @Test
    void waitersThatAreGoneAreForgottenWhenAnotherComes() {
        TaskLifecycle task = lifecycle(events);
        task.created(made(workload));
        Recorder live = new Recorder();
        task.onExit(
                new ExitWaiter() {
                    @Override
                    public void ended(ExitRecord exit) {
                        throw new AssertionError("nobody waits");
                    }

                    @Override
                    public boolean isAbandoned() {
                        return true;
                    }
                });
        task.onExit(live);

        task.kill(9);

        assertThat(live.exits).hasSize(1);
    }

    /// Holds a thread inside of a workload's `start` or `close`.
    private static final class Blocking {
        private final FakeWorkload workload = new FakeWorkload(FakeWorkload.Start.RUNS, false);
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch leave = new CountDownLatch(1);
        private boolean blockStart;
        private boolean blockClose;
        private int timesMade;
        private Thread thread = Thread.ofVirtual().unstarted(() -> {});

        MadeWorkload made() {
            timesMade++;
            return new MadeWorkload(
                    new HookedWorkload(
                            workload,
                            () -> hold(blockStart),
                            () -> hold(blockClose && thread == Thread.currentThread())),
                    Fakes.spec(Map.of()),
                    false,
                    NOW);
        }

        boolean firstMade() {
            return timesMade == 1;
        }

        private void hold(boolean block) {
            if (!block) {
                return;
            }
            entered.countDown();
            try {
                assertThat(leave.await(10, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        void inBackground(Runnable work) throws InterruptedException {
            thread = Thread.ofVirtual().unstarted(work);
            thread.start();
            assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
        }

        void release() {
            leave.countDown();
            try {
                thread.join(10_000);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
