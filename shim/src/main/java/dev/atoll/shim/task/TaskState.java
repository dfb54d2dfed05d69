package dev.atoll.shim.task;

import dev.atoll.api.containerd.types.Status;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// The state of a task, with the data that it has only in that state.
///
/// ```
/// Creating ──► Created ──► Starting ──► Running ──► Stopped ──► Deleting ──► Deleted
///    │            │            │                      ▲  ▲         ▲            ▲
///    │            │            └── start failed ──────┘  │         │            │
///    │            ├─────────────── killed ───────────────┤         │            │
///    │            └─────────────── deleted ──────────────┼─────────┘            │
///    ├──────────────────────────── killed ───────────────┘                      │
///    └──────────────────────────── deleted ─────────────────────────────────────┘
/// ```
///
/// Besides, every live state goes to `Deleting` when the launcher has the task forgotten.
public sealed interface TaskState {
    /// The workload is being made.
    record Creating() implements TaskState {}

    record Created(MadeWorkload made) implements TaskState {}

    /// The workload is being started.
    ///
    /// @param pendingSignals what it will get once it runs
    record Starting(MadeWorkload made, List<Integer> pendingSignals) implements TaskState {
        public Starting {
            pendingSignals = List.copyOf(pendingSignals);
        }
    }

    record Running(MadeWorkload made, Instant startedAt) implements TaskState {}

    /// @param made empty if it was killed before the workload was made
    /// @param startedAt empty if it never ran
    record Stopped(Optional<MadeWorkload> made, Optional<Instant> startedAt, ExitRecord exit)
            implements TaskState {}

    /// What it holds is being released.
    record Deleting(ExitRecord exit) implements TaskState {}

    record Deleted(ExitRecord exit) implements TaskState {}

    /// What containerd calls this state.
    default Status status() {
        return switch (this) {
            case Creating _, Created _ -> Status.CREATED;
            case Starting _, Running _ -> Status.RUNNING;
            case Stopped _, Deleting _, Deleted _ -> Status.STOPPED;
        };
    }

    /// One word for messages and logs.
    default String word() {
        return switch (this) {
            case Creating _ -> "creating";
            case Created _ -> "created";
            case Starting _ -> "starting";
            case Running _ -> "running";
            case Stopped _ -> "stopped";
            case Deleting _ -> "deleting";
            case Deleted _ -> "deleted";
        };
    }

    /// The workload, as long as there is one.
    default Optional<MadeWorkload> workload() {
        return switch (this) {
            case Created created -> Optional.of(created.made());
            case Starting starting -> Optional.of(starting.made());
            case Running running -> Optional.of(running.made());
            case Stopped stopped -> stopped.made();
            case Creating _, Deleting _, Deleted _ -> Optional.empty();
        };
    }

    /// How it ended, once it has.
    default Optional<ExitRecord> ended() {
        return switch (this) {
            case Stopped stopped -> Optional.of(stopped.exit());
            case Deleting deleting -> Optional.of(deleting.exit());
            case Deleted deleted -> Optional.of(deleted.exit());
            case Creating _, Created _, Starting _, Running _ -> Optional.empty();
        };
    }

    /// When it began to run, if it has.
    default Optional<Instant> began() {
        return switch (this) {
            case Running running -> Optional.of(running.startedAt());
            case Stopped stopped -> stopped.startedAt();
            case Creating _, Created _, Starting _, Deleting _, Deleted _ -> Optional.empty();
        };
    }
}
