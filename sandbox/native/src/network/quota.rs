//! How many sockets a guest holds.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// The sockets of one guest, over all its instances.
pub(crate) struct Sockets {
    most: usize,
    open: AtomicUsize,
    given_back: Notify,
}

impl Sockets {
    pub fn new(most: usize) -> Self {
        Self { most, open: AtomicUsize::new(0), given_back: Notify::new() }
    }

    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// The right to one more socket, given back when dropped; none if the guest holds as many as it may.
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

    fn take(&self) -> bool {
        let more = |open: usize| (open < self.most).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give_back(&self, count: usize) {
        self.open.fetch_sub(count, Ordering::Relaxed);
        self.given_back.notify_waiters();
    }
}

/// The right to one socket.
pub(crate) struct Permit(Arc<Sockets>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give_back(1);
    }
}

/// The sockets of one instance: what it did not close itself is given back with its store.
pub(crate) struct StoreSockets {
    sockets: Arc<Sockets>,
    held: AtomicUsize,
}

impl StoreSockets {
    pub fn new(sockets: Arc<Sockets>) -> Self {
        Self { sockets, held: AtomicUsize::new(0) }
    }

    /// One more socket; false if the guest holds as many as it may.
    pub fn take(&self) -> bool {
        let taken = self.sockets.take();
        if taken {
            self.held.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// The instance closed a socket.
    pub fn give_back(&self) {
        let less = |held: usize| held.checked_sub(1);
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            self.sockets.give_back(1);
        }
    }
}

impl Drop for StoreSockets {
    fn drop(&mut self) {
        self.sockets.give_back(*self.held.get_mut());
    }
}
