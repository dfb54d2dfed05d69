//! Whose turn it is: requests in progress, those that wait, and those that find no room.

use super::Settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The right to have a request handled, given back when dropped.
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
}

/// Why there is no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// As many wait as may.
    Full,
    /// It did not come in time.
    TooLong,
}

pub(crate) struct Turns {
    free: Arc<Semaphore>,
    most: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

impl Turns {
    pub fn new(settings: &Settings) -> Self {
        let most = settings.max_concurrent as usize;
        Self {
            free: Arc::new(Semaphore::new(most)),
            most,
            waiting: AtomicUsize::new(0),
            most_waiting: settings.max_queued as usize,
            patience: settings.queue_timeout(),
        }
    }

    /// Requests that have a turn.
    pub fn taken(&self) -> usize {
        self.most - self.free.available_permits().min(self.most)
    }

    pub async fn take(&self) -> Result<Turn, NoTurn> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Ok(Turn { _permit: permit });
        }
        let more = |waiting: usize| (waiting < self.most_waiting).then_some(waiting + 1);
        if self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return Err(NoTurn::Full);
        }
        // A client that goes away while it waits drops this future.
        let _waits = Waits(&self.waiting);
        match tokio::time::timeout(self.patience, self.free.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            Ok(Err(_)) | Err(_) => Err(NoTurn::TooLong),
        }
    }
}

struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
