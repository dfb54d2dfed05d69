//! The queue of events that the caller polls.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Size of one record of the header's `struct atoll_event`, in bytes.
pub(crate) const RECORD: usize = 64;

/// `ATOLL_EVENT_*` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Exited = 1,
    Trapped = 2,
    OutOfMemory = 3,
    Signalled = 4,
    Failed = 5,
    Module = 16,
}

/// One event; times in nanoseconds of `CLOCK_MONOTONIC`, 0 where it did not come to that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub id: u64,
    pub kind: Kind,
    pub code: i32,
    pub created_ns: u64,
    pub started_ns: u64,
    pub entered_ns: u64,
    pub ended_ns: u64,
    pub cpu_ns: u64,
    pub peak_bytes: u64,
}

impl Event {
    /// The record of the header, little endian.
    pub fn record(&self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record[0..8].copy_from_slice(&self.id.to_le_bytes());
        record[8..12].copy_from_slice(&(self.kind as u32).to_le_bytes());
        record[12..16].copy_from_slice(&self.code.to_le_bytes());
        let rest = [self.created_ns, self.started_ns, self.entered_ns, self.ended_ns, self.cpu_ns, self.peak_bytes];
        for (slot, number) in record[16..].chunks_exact_mut(8).zip(rest) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        record
    }
}

/// Many producers, one consumer. Pushing never blocks on the consumer.
#[derive(Default)]
pub(crate) struct Events {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Event>,
    woken: bool,
    polled: bool,
}

impl Events {
    pub fn push(&self, event: Event) {
        self.lock().queue.push_back(event);
        self.changed.notify_one();
    }

    /// Makes the present or next [`Events::poll`] return.
    pub fn wake(&self) {
        self.lock().woken = true;
        self.changed.notify_one();
    }

    /// Up to `most` events, waiting at most `patience` for the first; `None` if another thread is inside.
    pub fn poll(&self, most: usize, patience: Duration) -> Option<Vec<Event>> {
        let deadline = Instant::now().checked_add(patience);
        let mut state = self.lock();
        if std::mem::replace(&mut state.polled, true) {
            return None;
        }
        while state.queue.is_empty() && !state.woken {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.polled = false;
        state.woken = false;
        let count = most.min(state.queue.len());
        Some(state.queue.drain(..count).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
