//! stdout and stderr.

use super::{CHUNK, Channel, Keeper, open_channel};
use crate::failure::Result;
use crate::limits::{Account, Held};
use bytes::Bytes;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncWrite, Interest};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Handles of one stream that an instance may have at the same time, each with a permit of [`CHUNK`].
const HANDLES: usize = 16;

/// One output stream. Shared by the guest's handles and its task; the descriptor closes with the last of them.
pub(crate) struct Output {
    channel: Option<Channel>,
    terminal: bool,
    state: Mutex<State>,
    /// Blocking channels only: a writer thread has finished.
    changed: Notify,
    written: Arc<AtomicU64>,
    /// Most bytes held.
    most: usize,
    runtime: Handle,
}

struct State {
    pending: Vec<u8>,
    /// A blocking thread is writing.
    writing: bool,
    /// Bytes that it has taken.
    taken: usize,
    /// For what is pending and taken.
    held: Held,
    error: Option<Errno>,
    discarded: bool,
}

impl Output {
    /// Opens the stream for as many instances as `writers`; no path is a sink. Bytes that have left are counted in `written`.
    pub fn open(
        stream: &str,
        path: Option<&str>,
        writers: usize,
        written: Arc<AtomicU64>,
        account: &Arc<Account>,
        runtime: &Handle,
    ) -> Result<Arc<Self>> {
        // A FIFO is opened for both directions: it then opens without a reader, and keeps data for a later one.
        let open = |path| open_channel(stream, path, OFlags::WRONLY | OFlags::APPEND, OFlags::RDWR, Interest::WRITABLE);
        let channel = path.map(open).transpose()?.map(|(channel, _)| channel);
        Ok(Self::of(channel, writers, written, account, runtime))
    }

    /// The stream of an open channel.
    pub(super) fn of(
        channel: Option<Channel>,
        writers: usize,
        written: Arc<AtomicU64>,
        account: &Arc<Account>,
        runtime: &Handle,
    ) -> Arc<Self> {
        let terminal = channel.as_ref().is_some_and(|channel| std::io::IsTerminal::is_terminal(&channel.fd()));
        Arc::new(Self {
            channel,
            terminal,
            state: Mutex::new(State {
                pending: Vec::new(),
                writing: false,
                taken: 0,
                held: Held::nothing(account.clone()),
                error: None,
                discarded: false,
            }),
            changed: Notify::new(),
            written,
            most: writers.saturating_mul(HANDLES * CHUNK),
            runtime: runtime.clone(),
        })
    }

    /// Accepts `bytes` and moves as much as can be moved without waiting.
    pub fn push(self: &Arc<Self>, bytes: &[u8]) -> StreamResult<()> {
        let mut state = self.lock();
        state.check()?;
        let Some(channel) = &self.channel else {
            self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            return Ok(());
        };
        if state.pending.len() + bytes.len() > self.most {
            return Err(StreamError::trap("more was written to an output stream than it permitted"));
        }
        state.pending.extend_from_slice(bytes);
        match channel {
            Channel::Polled(fd) => {
                self.write_now(&mut state, fd.get_ref().as_fd());
            }
            Channel::Blocking(_) if !state.writing => {
                state.writing = true;
                let output = self.clone();
                drop(self.runtime.spawn_blocking(move || output.write_blocking()));
            }
            Channel::Blocking(_) => {}
        }
        // A guest that crosses its limit here has written its last; what is pending still goes out.
        let unwritten = state.unwritten();
        state.held.grow_to(unwritten).map_err(|full| StreamError::Trap(full.into()))
    }

    /// Waits until all that was accepted is in the file, or cannot be put there.
    pub async fn drained(&self) {
        match &self.channel {
            None => {}
            Some(Channel::Polled(fd)) => {
                while !self.lock().settled() {
                    match fd.writable().await {
                        Ok(mut ready) => {
                            // WouldBlock clears the readiness; every other outcome is in the state.
                            drop(ready.try_io(|fd| {
                                self.write_now(&mut self.lock(), fd.as_fd()).ok_or(io::ErrorKind::WouldBlock.into())
                            }));
                        }
                        Err(_) => self.lock().error = Some(Errno::IO),
                    }
                }
            }
            Some(Channel::Blocking(_)) => loop {
                let changed = self.changed.notified();
                if self.lock().settled() {
                    return;
                }
                changed.await;
            },
        }
    }

    /// Keeps the stream's end, and bytes before it, for a reader that is away; `None` if it is no FIFO.
    pub fn keeper(&self) -> Option<Keeper> {
        match &self.channel {
            Some(Channel::Polled(fd)) if !self.terminal => Keeper::of(fd.get_ref().as_fd()),
            _ => None,
        }
    }

    /// Forgets what is pending: the guest was killed.
    pub fn discard(&self) {
        let mut state = self.lock();
        state.discarded = true;
        state.pending = Vec::new();
        state.release();
    }

    /// Writes what a non-blocking descriptor takes; `None` if some is left.
    fn write_now(&self, state: &mut State, fd: BorrowedFd<'_>) -> Option<()> {
        let mut done = 0;
        let outcome = loop {
            if done == state.pending.len() {
                break Some(());
            }
            match rustix::io::write(fd, &state.pending[done..]) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break None,
                Err(error) => {
                    state.error = Some(error);
                    break Some(());
                }
            }
        };
        self.written.fetch_add(done as u64, Ordering::Relaxed);
        if state.error.is_some() {
            state.pending.clear();
        } else {
            drop(state.pending.drain(..done));
        }
        state.release();
        outcome
    }

    /// On a blocking thread: writes until nothing is pending.
    fn write_blocking(&self) {
        let Some(Channel::Blocking(fd)) = &self.channel else { return };
        loop {
            let mut state = self.lock();
            let bytes = std::mem::take(&mut state.pending);
            state.taken = bytes.len();
            state.release();
            if bytes.is_empty() {
                state.writing = false;
                break;
            }
            drop(state);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                match rustix::io::write(fd, rest) {
                    Ok(count) => {
                        self.written.fetch_add(count as u64, Ordering::Relaxed);
                        rest = &rest[count..];
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => {
                        self.lock().error = Some(error);
                        break;
                    }
                }
            }
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn unwritten(&self) -> u64 {
        (self.pending.len() + self.taken) as u64
    }

    /// Gives back what is held for bytes that have left.
    fn release(&mut self) {
        let unwritten = self.unwritten();
        self.held.shrink_to(unwritten);
    }

    fn settled(&self) -> bool {
        self.error.is_some() || self.discarded || (self.pending.is_empty() && !self.writing)
    }

    fn check(&self) -> StreamResult<()> {
        match self.error {
            _ if self.discarded => Err(StreamError::Closed),
            None => Ok(()),
            Some(Errno::PIPE) => Err(StreamError::Closed),
            Some(error) => Err(StreamError::LastOperationFailed(io::Error::from(error).into())),
        }
    }
}

/// A guest's handle on an output stream.
struct Writer(Arc<Output>);

#[async_trait::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        self.0.drained().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.push(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.lock().check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let state = self.0.lock();
        state.check()?;
        Ok(if state.settled() { CHUNK } else { 0 })
    }
}

/// What wasmtime-wasi makes a guest's handles from.
pub(crate) struct StdoutSource(pub Arc<Output>);

impl IsTerminal for StdoutSource {
    fn is_terminal(&self) -> bool {
        self.0.terminal
    }
}

impl StdoutStream for StdoutSource {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Unlinked)
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Writer(self.0.clone()))
    }
}

/// Only WASI 0.3 asks for this kind of stream, and 0.3 is not linked.
struct Unlinked;

impl AsyncWrite for Unlinked {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
