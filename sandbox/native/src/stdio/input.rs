//! stdin.

use super::{CHUNK, Channel, open_channel, read};
use crate::failure::{Failure, Result};
use bytes::{Bytes, BytesMut};
use rustix::fs::{FileType, Mode, OFlags, open};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, Interest};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// The input stream. Shared by the guest's handles; the descriptor closes with the last of them.
pub(crate) struct Input {
    channel: Option<Channel>,
    terminal: bool,
    ahead: Mutex<Ahead>,
    /// Blocking channels only: a reader thread has finished.
    changed: Notify,
    read: Arc<AtomicU64>,
    runtime: Handle,
}

/// What a blocking thread has read for the guest.
#[derive(Default)]
struct Ahead {
    bytes: Bytes,
    reading: bool,
    end: bool,
    error: Option<Errno>,
}

impl Input {
    /// Opens stdin; no path is an empty stream. For a FIFO the second result is a writer that keeps it from ending.
    pub fn open(path: Option<&str>, read: Arc<AtomicU64>, runtime: &Handle) -> Result<(Arc<Self>, Option<OwnedFd>)> {
        let opened = path
            .map(|path| open_channel("stdin", path, OFlags::RDONLY, OFlags::RDONLY, Interest::READABLE))
            .transpose()?;
        let mut keeper = None;
        if let (Some(path), Some((Channel::Polled(fd), FileType::Fifo))) = (path, &opened) {
            let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(fd.get_ref()));
            let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let writer = open(own, flags, Mode::empty());
            keeper = Some(writer.map_err(|error| Failure::io(format!("cannot keep stdin {path:?} open"), error))?);
        }
        Ok((Self::of(opened.map(|(channel, _)| channel), read, runtime), keeper))
    }

    /// The stream of an open channel; bytes that the guest has read are counted in `read`.
    pub(super) fn of(channel: Option<Channel>, read: Arc<AtomicU64>, runtime: &Handle) -> Arc<Self> {
        let terminal = channel.as_ref().is_some_and(|channel| std::io::IsTerminal::is_terminal(&channel.fd()));
        Arc::new(Self {
            channel,
            terminal,
            ahead: Mutex::default(),
            changed: Notify::new(),
            read,
            runtime: runtime.clone(),
        })
    }

    pub(super) fn take(self: &Arc<Self>, size: usize) -> StreamResult<Bytes> {
        match &self.channel {
            None => Err(StreamError::Closed),
            _ if size == 0 => Ok(Bytes::new()),
            Some(Channel::Polled(fd)) => {
                let mut bytes = BytesMut::zeroed(size.min(CHUNK));
                match fd.try_io(Interest::READABLE, |fd| read(fd, &mut bytes).map_err(io::Error::from)) {
                    Ok(0) => Err(StreamError::Closed),
                    Ok(count) => {
                        self.read.fetch_add(count as u64, Ordering::Relaxed);
                        bytes.truncate(count);
                        Ok(bytes.freeze())
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Bytes::new()),
                    Err(error) => Err(StreamError::LastOperationFailed(error.into())),
                }
            }
            Some(Channel::Blocking(_)) => {
                let mut ahead = self.lock();
                if !ahead.bytes.is_empty() {
                    let count = size.min(ahead.bytes.len());
                    self.read.fetch_add(count as u64, Ordering::Relaxed);
                    return Ok(ahead.bytes.split_to(count));
                }
                if let Some(error) = ahead.error.take() {
                    return Err(StreamError::LastOperationFailed(io::Error::from(error).into()));
                }
                if ahead.end {
                    return Err(StreamError::Closed);
                }
                self.read_ahead(&mut ahead);
                Ok(Bytes::new())
            }
        }
    }

    pub(super) async fn ready(self: &Arc<Self>) {
        match &self.channel {
            None => {}
            Some(Channel::Polled(fd)) => {
                // An error here shows again, with its cause, at the read that follows.
                drop(fd.readable().await.map(|mut ready| ready.retain_ready()));
            }
            Some(Channel::Blocking(_)) => loop {
                let changed = self.changed.notified();
                {
                    let mut ahead = self.lock();
                    if !ahead.bytes.is_empty() || ahead.end || ahead.error.is_some() {
                        return;
                    }
                    self.read_ahead(&mut ahead);
                }
                changed.await;
            },
        }
    }

    /// Starts a read on a blocking thread unless one is going on.
    fn read_ahead(self: &Arc<Self>, ahead: &mut Ahead) {
        if std::mem::replace(&mut ahead.reading, true) {
            return;
        }
        let input = self.clone();
        drop(self.runtime.spawn_blocking(move || {
            let Some(Channel::Blocking(fd)) = &input.channel else { return };
            let mut bytes = BytesMut::zeroed(CHUNK);
            let outcome = read(fd, &mut bytes);
            let mut ahead = input.lock();
            ahead.reading = false;
            match outcome {
                Ok(0) => ahead.end = true,
                Ok(count) => {
                    bytes.truncate(count);
                    ahead.bytes = bytes.freeze();
                }
                Err(error) => ahead.error = Some(error),
            }
            drop(ahead);
            input.changed.notify_waiters();
        }));
    }

    fn lock(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guest's handle on stdin.
struct Reader(Arc<Input>);

#[async_trait::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.0.take(size)
    }
}

/// What wasmtime-wasi makes a guest's handles from.
pub(crate) struct StdinSource(pub Arc<Input>);

impl IsTerminal for StdinSource {
    fn is_terminal(&self) -> bool {
        self.0.terminal
    }
}

impl StdinStream for StdinSource {
    /// Only WASI 0.3 asks for this kind of stream, and 0.3 is not linked: it is empty.
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Reader(self.0.clone()))
    }
}
