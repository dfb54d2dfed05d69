//! A guest's three streams: files that the caller names by path and owns; here they are opened and read or written.
//!
//! A FIFO or terminal is non-blocking and waits in tokio's reactor, so a full pipe holds up its own guest only. A regular
//! file is always "ready" for the kernel and may still block: it is served by tokio's blocking threads. Nothing is opened
//! with `O_CREAT`, no stream becomes a controlling terminal, and opening a FIFO never waits for its other end.

mod input;
mod keeper;
mod output;
mod streams;
mod terminal;

pub(crate) use input::{Input, StdinSource};
pub(crate) use keeper::{Keeper, Unread};
pub(crate) use output::{Output, StdoutSource};
pub(crate) use streams::{Counts, Places, Streams};
pub(crate) use terminal::{Size, Terminal};

use crate::failure::{Failure, Result};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Most bytes moved by one read or write, and the permit given to a guest.
pub(crate) const CHUNK: usize = 64 << 10;

/// How a stream can be waited for.
enum Channel {
    /// Waits in the reactor.
    Polled(AsyncFd<OwnedFd>),
    /// Blocks a thread of its own while it is used.
    Blocking(OwnedFd),
}

impl Channel {
    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Polled(fd) => fd.get_ref().as_fd(),
            Self::Blocking(fd) => fd.as_fd(),
        }
    }
}

/// Opens `path` for `stream` ("stdin", ..) with the access mode for its type. Must be called inside the runtime's context.
fn open_channel(
    stream: &str,
    path: &str,
    file: OFlags,
    fifo: OFlags,
    interest: Interest,
) -> Result<(Channel, FileType)> {
    let failed = |error| Failure::io(format!("cannot open {stream} {path:?}"), error);
    let common = OFlags::CLOEXEC | OFlags::NOCTTY;
    // The type is looked at through an O_PATH descriptor, so that what is then opened is what was looked at.
    let place = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    let kind = FileType::from_raw_mode(fstat(&place).map_err(failed)?.st_mode);
    let again =
        |flags| open(format!("/proc/self/fd/{}", place.as_raw_fd()), flags | common, Mode::empty()).map_err(failed);
    match kind {
        FileType::Fifo => polled(again(fifo | OFlags::NONBLOCK)?, interest)
            .map_err(|(_, error)| Failure::io(format!("cannot wait for {stream} {path:?}"), error))
            .map(|channel| (channel, kind)),
        // A terminal can be waited for; /dev/null and its like cannot, and never block.
        FileType::CharacterDevice => match polled(again(file | OFlags::NONBLOCK)?, interest) {
            Ok(channel) => Ok((channel, kind)),
            Err((fd, _)) => Ok((Channel::Blocking(fd), kind)),
        },
        FileType::RegularFile => Ok((Channel::Blocking(again(file)?), kind)),
        other => Err(Failure::invalid(format!(
            "cannot use {path:?} as {stream}: it is a {other:?}; a FIFO, a regular file or a character device is accepted"
        ))),
    }
}

fn polled(fd: OwnedFd, interest: Interest) -> std::result::Result<Channel, (OwnedFd, std::io::Error)> {
    // SAFETY: an OwnedFd answers the same open descriptor from as_raw_fd for as long as it lives, and the AsyncFd owns it.
    unsafe { AsyncFd::register_with_interest(fd, interest) }
        .map(Channel::Polled)
        .map_err(tokio::io::unix::AsyncFdRegisterError::into_parts)
}

fn read(fd: &impl AsFd, into: &mut [u8]) -> std::result::Result<usize, Errno> {
    rustix::io::retry_on_intr(|| rustix::io::read(fd, &mut *into))
}
