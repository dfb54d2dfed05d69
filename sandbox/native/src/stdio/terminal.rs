//! A terminal: a kernel pseudoterminal. One side of it is all three streams of a guest; the other side is moved here, to and
//! from the client's streams.
//!
//! The kernel's line discipline echoes, edits lines and ends the input at Ctrl-D. It cannot send signals, since it is no
//! process' controlling terminal, so the characters that would make it send one are looked for on the way.

use super::{Channel, Input, Keeper, Output, polled, read};
use crate::failure::{Failure, Result};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::termios::{LocalModes, SpecialCodeIndex, Termios, Winsize, tcgetattr, tcsetwinsize};
use serde::Deserialize;
use std::convert::Infallible;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Most bytes that the kernel moves through a terminal at once.
const PIECE: usize = 4 << 10;

/// `atoll_guest_new`'s member, in characters.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    #[serde(default)]
    columns: u16,
    #[serde(default)]
    rows: u16,
}

impl Size {
    /// Columns above the 16 bits of rows.
    pub fn unpacked(number: i64) -> Result<Self> {
        let packed = u32::try_from(number).map_err(|_| {
            Failure::invalid(format!(
                "{number} is no size of a terminal; columns << 16 | rows, each from 0 to 65535, is accepted"
            ))
        })?;
        let [c1, c0, r1, r0] = packed.to_be_bytes();
        Ok(Self { columns: u16::from_be_bytes([c1, c0]), rows: u16::from_be_bytes([r1, r0]) })
    }

    fn kernel(self) -> Winsize {
        Winsize { ws_col: self.columns, ws_row: self.rows, ws_xpixel: 0, ws_ypixel: 0 }
    }
}

/// Unlocks and opens the other side of a new terminal, without a path (`ioctl_tty(2)`): the guest's files have no terminals.
fn other_side(master: &OwnedFd, flags: OFlags) -> std::result::Result<OwnedFd, Errno> {
    let (number, locked) = (master.as_raw_fd(), 0_i32);
    // SAFETY: TIOCSPTLCK reads one int, which lives until the call returns.
    let unlocked = unsafe { libc::ioctl(number, libc::TIOCSPTLCK, &raw const locked) };
    // SAFETY: TIOCGPTPEER takes flags of open(2) as its argument and touches no memory of ours.
    let slave = if unlocked < 0 { unlocked } else { unsafe { libc::ioctl(number, libc::TIOCGPTPEER, flags.bits()) } };
    if slave < 0 {
        return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    // SAFETY: the kernel has just opened this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(slave) })
}

/// The client's side of a guest's terminal. The guest's side is closed with the last of the guest's streams.
pub(crate) struct Terminal {
    master: AsyncFd<OwnedFd>,
    typed: Arc<Input>,
    shown: Arc<Output>,
    /// As the guest found it, and cannot change it.
    attributes: Termios,
}

impl Terminal {
    /// Opens a terminal of the given size; the second result is the guest's side, once for each of its streams. Must be called
    /// inside the runtime's context.
    pub(super) fn open(size: Size, typed: Arc<Input>, shown: Arc<Output>) -> Result<(Self, [Channel; 3])> {
        let failed = |error: Errno| Failure::io("cannot open a terminal through the node's /dev/ptmx", error);
        let unpolled = |error| Failure::io("cannot wait for a terminal", error);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let master = open("/dev/ptmx", flags, Mode::empty()).map_err(failed)?;
        let slave = other_side(&master, flags).map_err(failed)?;
        tcsetwinsize(&master, size.kernel()).map_err(failed)?;
        let attributes = tcgetattr(&slave).map_err(failed)?;
        let channel = |interest| {
            let own = slave.try_clone().map_err(unpolled)?;
            polled(own, interest).map_err(|(_, error)| unpolled(error))
        };
        let streams = [channel(Interest::READABLE)?, channel(Interest::WRITABLE)?, channel(Interest::WRITABLE)?];
        let Channel::Polled(master) =
            polled(master, Interest::READABLE | Interest::WRITABLE).map_err(|(_, error)| unpolled(error))?
        else {
            return Err(Failure::state("a terminal that cannot be waited for"));
        };
        Ok((Self { master, typed, shown, attributes }, streams))
    }

    pub fn resize(&self, size: Size) -> Result<()> {
        tcsetwinsize(&self.master, size.kernel())
            .map_err(|error| Failure::io("cannot change the size of the terminal", error))
    }

    /// Moves bytes both ways until the guest's side is closed and all that was written to it is in the client's stream.
    /// Gives the signals that are typed to `signal`.
    pub async fn pump(&self, signal: impl Fn(i32)) {
        tokio::select! {
            biased;
            () = self.show() => {}
            never = self.type_in(signal) => match never {},
        }
    }

    /// Moves what is left on the way to the client and can be moved without waiting: the guest was killed.
    pub fn flush(&self) {
        let mut bytes = [0; PIECE];
        while let Ok(count @ 1..) = read(self.master.get_ref(), &mut bytes) {
            if self.shown.push(&bytes[..count]).is_err() {
                return;
            }
        }
    }

    /// Keeps what the client has not read yet, as [`Output::keeper`] does.
    pub fn keeper(&self) -> Option<Keeper> {
        self.shown.keeper()
    }

    async fn show(&self) {
        let mut bytes = [0; PIECE];
        loop {
            let Ok(mut ready) = self.master.readable().await else { return };
            match ready.try_io(|fd| read(fd, &mut bytes).map_err(io::Error::from)) {
                Err(_would_block) => {}
                // If the client's stream is broken, the guest still is not held up by it.
                Ok(Ok(count @ 1..)) => {
                    drop(self.shown.push(&bytes[..count]));
                    self.shown.drained().await;
                }
                // EIO: the guest's side is closed, and nothing is left.
                Ok(Ok(0) | Err(_)) => return,
            }
        }
    }

    /// A client that hangs up leaves the terminal as it is.
    async fn type_in(&self, signal: impl Fn(i32)) -> Infallible {
        let mut literal = false;
        loop {
            match self.typed.take(PIECE) {
                Err(_ended) => return std::future::pending().await,
                Ok(bytes) if bytes.is_empty() => self.typed.ready().await,
                Ok(bytes) => {
                    for &byte in &bytes {
                        if let Some(number) = self.signal_of(byte, &mut literal) {
                            signal(number);
                        }
                    }
                    self.write(&bytes).await;
                }
            }
        }
    }

    /// The signal that the character stands for; `literal` is whether the one before took that meaning from it.
    fn signal_of(&self, byte: u8, literal: &mut bool) -> Option<i32> {
        let is = |mode, code| self.attributes.local_modes.contains(mode) && byte == self.attributes.special_codes[code];
        if std::mem::take(literal) {
            return None;
        }
        *literal = is(LocalModes::ICANON | LocalModes::IEXTEN, SpecialCodeIndex::VLNEXT);
        if is(LocalModes::ISIG, SpecialCodeIndex::VINTR) {
            return Some(libc::SIGINT);
        }
        is(LocalModes::ISIG, SpecialCodeIndex::VQUIT).then_some(libc::SIGQUIT)
    }

    async fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Ok(mut ready) = self.master.writable().await else { return };
            match ready.try_io(|fd| rustix::io::write(fd, bytes).map_err(io::Error::from)) {
                Err(_would_block) => {}
                Ok(Ok(count)) => bytes = &bytes[count..],
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                // The guest has ended: what is typed goes nowhere.
                Ok(Err(_)) => return,
            }
        }
    }
}
