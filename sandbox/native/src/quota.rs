//! How many of something a guest holds.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What is counted of one guest, over all its instances.
pub(crate) struct Quota {
    most: usize,
    taken: AtomicUsize,
    given_back: Notify,
}

impl Quota {
    pub fn new(most: usize) -> Self {
        Self { most, taken: AtomicUsize::new(0), given_back: Notify::new() }
    }

    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// The right to one more, given back when dropped; none if the guest holds as many as it may.
    pub fn permit(self: &Arc<Self>) -> Option<Permit> {
        self.take().then(|| Permit(self.clone()))
    }

    /// As [`Self::permit`], waiting for one that is given back.
    pub async fn permit_within(self: &Arc<Self>, patience: Duration) -> Option<Permit> {
        let wait = async {
            loop {
                let mut given_back = pin!(self.given_back.notified());
                given_back.as_mut().enable();
                match self.permit() {
                    Some(permit) => return permit,
                    None => given_back.await,
                }
            }
        };
        tokio::time::timeout(patience, wait).await.ok()
    }

    /// Takes one; false if the guest holds as many as it may. The caller gives it back.
    pub fn take(&self) -> bool {
        let more = |taken: usize| (taken < self.most).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub fn give_back(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
        self.given_back.notify_waiters();
    }
}

/// The right to one.
pub(crate) struct Permit(Arc<Quota>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give_back(1);
    }
}
