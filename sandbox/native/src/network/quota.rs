//! How many sockets a guest holds.

use crate::quota::Quota;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The sockets of one instance: what it did not close itself is given back with its store.
pub(crate) struct StoreSockets {
    sockets: Arc<Quota>,
    held: AtomicUsize,
}

impl StoreSockets {
    pub fn new(sockets: Arc<Quota>) -> Self {
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
