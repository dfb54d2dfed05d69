//! What a guest wrote last, kept for a reader that is away.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Weak;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::ioctl_fionread;

/// First and longest pause between two looks for a reader.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// A writer of a FIFO that has unread bytes. The kernel drops those with the last descriptor, and containerd, when it is
/// restarted, opens the FIFO anew: only a writer that is still there lets it read what came in between.
pub(crate) struct Keeper(File);

impl Keeper {
    /// A second writer of the FIFO `fd` if it has unread bytes.
    pub fn of(fd: BorrowedFd<'_>) -> Option<Self> {
        if ioctl_fionread(fd).ok()? == 0 {
            return None;
        }
        // Opens at once: `fd` itself is a reader of the FIFO.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        OpenOptions::new().write(true).custom_flags(flags.bits().cast_signed()).open(path).ok().map(Self)
    }

    /// Closes at once where somebody reads: they find the bytes and then the end. Else stays until a reader comes, or
    /// `owner` is gone. Called when the stream itself has been closed.
    pub async fn wait<T>(self, owner: Weak<T>) {
        let mut pause = PAUSES.0;
        while !self.has_reader() && owner.strong_count() > 0 {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// A pipe without readers is in error for its writers (poll(2)).
    pub fn has_reader(&self) -> bool {
        let mut polled = [PollFd::new(&self.0, PollFlags::empty())];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_err()
            || !polled[0].revents().contains(PollFlags::ERR)
    }
}
