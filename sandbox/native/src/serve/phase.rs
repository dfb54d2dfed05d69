//! Where a server is in its life, and how its tasks learn of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Context;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Goes forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    Serving = 0,
    /// Asked to stop: requests are taken still, on connections that each end with their next response.
    Draining = 1,
    /// The listener is closed: connections end with what they have begun.
    Closing = 2,
    /// Everything stops where it stands.
    Ended = 3,
}

/// The present phase. Read at every poll of a connection, so that reading is one load.
#[derive(Default)]
pub(crate) struct Phases {
    now: AtomicU8,
    changed: Arc<Notify>,
}

impl Phases {
    pub fn now(&self) -> Phase {
        match self.now.load(Ordering::Acquire) {
            0 => Phase::Serving,
            1 => Phase::Draining,
            2 => Phase::Closing,
            _ => Phase::Ended,
        }
    }

    /// Goes on to `phase`; nothing happens if that has passed.
    pub fn advance(&self, phase: Phase) {
        if self.now.fetch_max(phase as u8, Ordering::AcqRel) < phase as u8 {
            self.changed.notify_waiters();
        }
    }

    /// Waits until `phase` has come.
    pub async fn reached(&self, phase: Phase) {
        loop {
            let changed = self.changed.notified();
            if self.now() >= phase {
                return;
            }
            changed.await;
        }
    }
}

/// Tells one task of each change, at the cost of one load where there is none.
pub(crate) struct Watch {
    phases: Arc<Phases>,
    seen: Phase,
    waiting: Option<Pin<Box<OwnedNotified>>>,
}

impl Watch {
    pub fn new(phases: Arc<Phases>) -> Self {
        Self { phases, seen: Phase::Serving, waiting: None }
    }

    /// A phase that the task has not seen yet. Wakes the task when the next one comes: it must be the same task at each call.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Option<Phase> {
        loop {
            let now = self.phases.now();
            if now != self.seen {
                self.seen = now;
                self.waiting = None;
                return Some(now);
            }
            if self.waiting.is_some() {
                return None;
            }
            let mut waiting = Box::pin(self.phases.changed.clone().notified_owned());
            // Registered before the phase is looked at again, so that no change is missed.
            if waiting.as_mut().poll(context).is_pending() {
                self.waiting = Some(waiting);
            }
            if self.phases.now() == self.seen {
                return None;
            }
        }
    }
}
