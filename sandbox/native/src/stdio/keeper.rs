//! The end of a guest's output, kept for a reader that is away.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

/// A writer of a FIFO without readers. The kernel drops unread bytes with the last descriptor, and a reader that opens the FIFO
/// after the last writer waits for ever (fifo(7)). containerd opens it on a thread of its own, which may come later than a short
/// guest's end, and opens it anew when it was restarted: only a writer that is still there lets it read what came in between,
/// and see the end.
pub(crate) struct Keeper(File);

impl Keeper {
    /// A second writer of the FIFO `fd`, which must be a reader, too.
    pub fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        // Opens at once: `fd` itself is a reader of the FIFO.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path).ok().map(Self)
    }

    /// A pipe without readers is in error for its writers (poll(2)).
    fn has_reader(&self) -> bool {
        let mut polled = [PollFd::new(&self.0, PollFlags::empty())];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_err()
            || !polled[0].revents().contains(PollFlags::ERR)
    }
}

/// The keepers of an ended guest, closed with it.
#[derive(Default)]
pub(crate) struct Unread(Mutex<Vec<Keeper>>);

impl Unread {
    /// Called when the streams themselves have been closed.
    pub fn keep(&self, keepers: impl Iterator<Item = Keeper>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(keepers);
    }

    /// Lets go where somebody reads: they find the bytes and then the end. Returns whether none is left.
    pub fn settle(&self) -> bool {
        let mut keepers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keepers.retain(|keeper| !keeper.has_reader());
        keepers.is_empty()
    }
}
