//! How long a client may keep a connection waiting: one timer for all deadlines of a connection.
//!
//! The deadlines move with every request, and moving a timer costs more than looking at a clock. So the timer is only ever
//! set to the earliest moment at which something can be due; when it fires, what is really due is worked out.

use super::Settings;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How an HTTP/2 connection begins, and no request of HTTP/1.1.
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// What a connection is doing, shared by its stream and its requests.
pub(crate) struct Activity {
    /// Requests whose response has not ended.
    busy: AtomicUsize,
    /// When the last of them ended, in milliseconds of [`now`].
    idle_since: AtomicU64,
    /// Requests that have ended.
    ended: AtomicU64,
    /// Whether the body of the last request had a length.
    sized: AtomicBool,
    /// The client speaks HTTP/2.
    multiplexed: AtomicBool,
    /// Bytes that the client was sent.
    written: AtomicU64,
    /// The client takes nothing of what is to be sent.
    full: AtomicBool,
}

impl Activity {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            busy: AtomicUsize::new(0),
            idle_since: AtomicU64::new(now()),
            ended: AtomicU64::new(0),
            sized: AtomicBool::new(false),
            multiplexed: AtomicBool::new(false),
            written: AtomicU64::new(0),
            full: AtomicBool::new(false),
        })
    }

    pub fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }

    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Whether no request is in progress, and nothing of an answer waits for the client.
    pub fn is_idle(&self) -> bool {
        self.busy.load(Ordering::Acquire) == 0 && !self.full.load(Ordering::Relaxed)
    }

    /// Marks a request; it ends with the result. `sized`: its body has a length, and ends with any byte.
    pub fn request(self: &Arc<Self>, sized: bool) -> Busy {
        self.sized.store(sized, Ordering::Relaxed);
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }
}

/// A request of a connection.
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since.store(now(), Ordering::Relaxed);
        self.0.ended.fetch_add(1, Ordering::Relaxed);
        self.0.busy.fetch_sub(1, Ordering::Release);
    }
}

/// Milliseconds since the first call.
fn now() -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    u64::try_from(BEGIN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A client's stream. Reading fails when the client lets its next request wait for too long, writing when it does not read.
pub(crate) struct Patient {
    stream: TcpStream,
    activity: Arc<Activity>,
    limits: Limits,
    /// Since when the head of a request has been arriving, and how many requests had ended by then.
    head_since: Option<(u64, u64)>,
    /// Since when the client has taken nothing of what is to be sent.
    full_since: Option<u64>,
    timer: Pin<Box<Sleep>>,
    /// Nothing was read so far.
    fresh: bool,
    /// The last bytes that were read.
    tail: [u8; 3],
}

/// In milliseconds.
#[derive(Clone, Copy)]
struct Limits {
    head: u64,
    idle: u64,
    stall: u64,
}

impl Patient {
    pub fn new(stream: TcpStream, activity: Arc<Activity>, settings: &Settings) -> Self {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let limits = Limits {
            head: millis(settings.header_timeout()),
            idle: millis(settings.idle_timeout()),
            stall: millis(settings.stall_timeout()),
        };
        let first = limits.shortest();
        Self {
            stream,
            activity,
            limits,
            head_since: None,
            full_since: None,
            timer: Box::pin(tokio::time::sleep(first)),
            fresh: true,
            tail: *b"\n\r\n",
        }
    }

    /// Waits for the timer; an error once the client's time is up.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let now = now();
            let due = self.due();
            if due.is_some_and(|due| due <= now) {
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the client took too long"));
            }
            let pause = due.map_or(self.limits.shortest(), |due| Duration::from_millis(due - now));
            self.timer.as_mut().reset(tokio::time::Instant::now() + pause);
        }
    }

    /// When the client's time is up; none while it is not the client that is waited for.
    fn due(&self) -> Option<u64> {
        let full = self.full_since.map(|since| since.saturating_add(self.limits.stall));
        if self.activity.busy.load(Ordering::Acquire) > 0 {
            return full;
        }
        let head = match self.head_since {
            // HTTP/2 has more to say than requests: pings and windows are no head.
            Some((since, _)) if !self.activity.is_multiplexed() => since.saturating_add(self.limits.head),
            _ => self.activity.idle_since.load(Ordering::Relaxed).saturating_add(self.limits.idle),
        };
        Some(full.map_or(head, |full| full.min(head)))
    }

    /// Notes whether the head of a request is arriving; `read`: something has just come.
    fn note_head(&mut self, read: bool) {
        let idle = self.activity.busy.load(Ordering::Acquire) == 0;
        let ended = self.activity.ended.load(Ordering::Relaxed);
        // Counted, not timed: a head can come and be answered within one tick of the clock.
        if !idle || self.head_since.is_some_and(|(_, then)| then != ended) {
            self.head_since = None;
        }
        if idle && self.head_since.is_none() && (read || self.holds_more()) {
            self.head_since = Some((now(), ended));
        }
    }

    /// Whether more came with the last request than the request: its head, and a body without a length, end with an empty line.
    fn holds_more(&self) -> bool {
        let complete = self.tail == *b"\n\r\n" || self.tail.ends_with(b"\n\n");
        !complete && !self.activity.sized.load(Ordering::Relaxed)
    }

    /// Notes what was read.
    fn note(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.fresh) {
            self.activity.multiplexed.store(bytes.starts_with(PREFACE), Ordering::Relaxed);
        }
        let last = bytes.len().min(self.tail.len());
        self.tail.rotate_left(last);
        let old = self.tail.len() - last;
        self.tail[old..].copy_from_slice(&bytes[bytes.len() - last..]);
    }

    /// Notes whether the client takes what is sent.
    fn written(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = &polled {
            if self.full_since.take().is_some() {
                self.activity.full.store(false, Ordering::Relaxed);
            }
            self.activity.written.fetch_add(written.as_ref().map_or(0, |count| *count as u64), Ordering::Relaxed);
            return polled;
        }
        if self.full_since.is_none() {
            self.full_since = Some(now());
            self.activity.full.store(true, Ordering::Relaxed);
            // Sooner than what the timer may be set to.
            let stall = Duration::from_millis(self.limits.stall);
            self.timer.as_mut().reset(tokio::time::Instant::now() + stall);
        }
        self.poll_patience(context).map(Err)
    }
}

impl Limits {
    fn shortest(self) -> Duration {
        Duration::from_millis(self.head.min(self.idle).min(self.stall))
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        if polled.is_ready() {
            this.note(&buffer.filled()[before..]);
        }
        this.note_head(polled.is_ready());
        if polled.is_ready() { polled } else { this.poll_patience(context).map(Err) }
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.written(context, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.written(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
