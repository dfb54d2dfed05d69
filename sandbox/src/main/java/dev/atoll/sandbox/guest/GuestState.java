package dev.atoll.sandbox.guest;

import dev.atoll.sandbox.WorkloadEnd;
import dev.atoll.sandbox.WorkloadUsage;
import java.util.function.Consumer;

/// Where a guest is in its life:
///
/// ```
/// Created ──start──► Running ──end──► Ended ──close──► Closed
///    │ │                └──signal──► Stopping ──end──► Ended
///    │ └──signal──► Ending ──end──► Ended                ▲ ▲
///    └──close────────────────────────────────────────────┘ │
///           Running, Stopping, Ending ──close──► Closing ──end
/// ```
sealed interface GuestState {
    /// Its files, streams and code are there; nothing runs.
    record Created() implements GuestState {}

    record Running(Consumer<WorkloadEnd> onEnd) implements GuestState {}

    /// Asked to end; a server may be finishing requests for as long as those take.
    record Stopping(Consumer<WorkloadEnd> onEnd) implements GuestState {}

    /// Killed before it was started; its end is on the way.
    record Ending() implements GuestState {}

    record Ended(WorkloadEnd end, WorkloadUsage usage) implements GuestState {}

    /// Killed by close; everything is released when its end comes.
    record Closing(Consumer<WorkloadEnd> onEnd) implements GuestState {}

    record Closed() implements GuestState {}
}
