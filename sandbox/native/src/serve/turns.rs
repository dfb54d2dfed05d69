//! Whose turn it is: requests in progress, those that wait, and those that find no room.

use super::Settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
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
    begin: Instant,
    /// When a request last found no room, in milliseconds since `begin`.
    sent_away: AtomicU64,
}

/// How long it counts that a request found no room.
const MEMORY: Duration = Duration::from_secs(2);

impl Turns {
    pub fn new(settings: &Settings) -> Self {
        let most = settings.max_concurrent as usize;
        Self {
            free: Arc::new(Semaphore::new(most)),
            most,
            waiting: AtomicUsize::new(0),
            most_waiting: settings.max_queued as usize,
            patience: settings.queue_timeout(),
            begin: Instant::now(),
            sent_away: AtomicU64::new(0),
        }
    }

    /// Requests that have a turn.
    pub fn taken(&self) -> usize {
        self.most - self.free.available_permits().min(self.most)
    }

    /// Whether requests wait for a turn, or were sent away of late.
    pub fn are_wanted(&self) -> bool {
        let sent_away = match self.sent_away.load(Ordering::Relaxed) {
            0 => false,
            then => self.begin.elapsed() < Duration::from_millis(then) + MEMORY,
        };
        sent_away || self.waiting.load(Ordering::Relaxed) > 0
    }

    pub async fn take(&self) -> Result<Turn, NoTurn> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Ok(Turn { _permit: permit });
        }
        let more = |waiting: usize| (waiting < self.most_waiting).then_some(waiting + 1);
        if self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.sent_away.store(now.max(1), Ordering::Relaxed);
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
