//! Bodies: the request's under its limits, the response's with the guest that is still writing it.

use super::handling::Handling;
use super::patience::Busy;
use super::turns::{Turn, Turns};
use crate::limits::Held;
use crate::waiting::Waiting;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// The body of a request, as the guest gets it.
pub(crate) struct RequestBody {
    /// Frames that were read before the guest was called.
    ahead: VecDeque<Frame<Bytes>>,
    /// For these.
    held: Option<Held>,
    rest: Option<Incoming>,
    /// Bytes that may still come.
    left: u64,
    most: u64,
    waiting: Waiting,
    /// Of a request that has a turn.
    pace: Option<Pace>,
}

impl RequestBody {
    /// `most` in bytes.
    pub fn new(body: Incoming, most: u64, stall: Duration) -> Self {
        let rest = (!body.is_end_stream()).then_some(body);
        Self { ahead: VecDeque::new(), held: None, rest, left: most, most, waiting: Waiting::new(stall), pace: None }
    }

    /// Reads at least `length` bytes, or all there are, so that a client that sends them slowly keeps no instance waiting.
    /// `held` is what they take.
    pub async fn read_ahead(&mut self, length: u64, held: Held) -> Result<(), Error> {
        self.held = Some(held);
        while self.most - self.left < length
            && let Some(frame) = poll_fn(|context| self.poll_rest(context)).await
        {
            self.ahead.push_back(frame?);
        }
        self.rest.take_if(|rest| rest.is_end_stream());
        Ok(())
    }

    /// From now on the client is held to a pace while others want a turn.
    pub fn keep_pace(&mut self, turns: &Arc<Turns>) {
        if self.rest.is_some() {
            self.pace = Some(Pace::new(turns.clone()));
        }
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(body) = &mut self.rest else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        let too_slow = self.pace.as_mut().is_some_and(|pace| pace.lost(context, &polled));
        let Some(frame) = (if too_slow { None } else { ready!(self.waiting.poll(context, polled)) }) else {
            self.rest = None;
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                self.rest = None;
                return Poll::Ready(Some(Err(error.into())));
            }
            None => {
                self.rest = None;
                return Poll::Ready(None);
            }
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = self.left.checked_sub(length) else {
            self.rest = None;
            return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(self.most)))));
        };
        self.left = left;
        Poll::Ready(Some(Ok(frame)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if let Some(frame) = this.ahead.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        this.held = None;
        this.poll_rest(context)
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Some(body) if self.ahead.is_empty() => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

/// Bytes in a second that a client has to send on average while others want the turn that its request has.
const PACE: u64 = 16 << 10;
/// How long a guest waits for its client before that counts, and the pause between two looks whether others want the turn.
const GRACE: Duration = Duration::from_secs(1);

/// How long a guest waited for its client, in all, against what the client sent meanwhile.
struct Pace {
    turns: Arc<Turns>,
    /// Bytes.
    received: u64,
    waited: Duration,
    waits_since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Pace {
    fn new(turns: Arc<Turns>) -> Self {
        let timer = Box::pin(tokio::time::sleep(GRACE));
        Self { turns, received: 0, waited: Duration::ZERO, waits_since: None, timer }
    }

    /// Takes note of what was `polled`; whether the client is too slow, and others want the turn.
    fn lost<E>(&mut self, context: &mut Context<'_>, polled: &Poll<Option<Result<Frame<Bytes>, E>>>) -> bool {
        if let Poll::Ready(frame) = polled {
            if let Some(since) = self.waits_since.take() {
                self.waited += since.elapsed();
            }
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            self.received += data.map_or(0, |data| data.len() as u64);
            return false;
        }
        if self.waits_since.is_none() {
            let now = Instant::now();
            let allowed = GRACE + Duration::from_millis(self.received.saturating_mul(1000) / PACE);
            self.timer.as_mut().reset(now + allowed.saturating_sub(self.waited));
            self.waits_since = Some(now);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if self.turns.are_wanted() {
                return true;
            }
            self.timer.as_mut().reset(Instant::now() + GRACE);
        }
        false
    }
}

/// The body of a response. Dropped before its end, it ends the guest that is writing it: the client has gone.
pub(crate) struct ResponseBody {
    content: Content,
    _busy: Busy,
}

enum Content {
    /// All there is.
    Whole(VecDeque<Frame<Bytes>>),
    Live(Live),
}

/// A response whose guest is writing its body still, or has something else to do.
pub(crate) struct Live {
    /// `None` once it has ended.
    pub body: Option<WasiBody>,
    /// `None` once it has ended.
    pub guest: Option<Handling>,
    /// The guest did not end as it should: the client must see that the response is not complete.
    pub failed: bool,
    /// Bytes that hyper will ask for before it takes the body for complete: none for HEAD and its like, unknown without a
    /// content-length.
    pub expected: Option<u64>,
    pub turn: Option<Turn>,
}

impl ResponseBody {
    pub fn whole(frames: VecDeque<Frame<Bytes>>, busy: Busy) -> Self {
        Self { content: Content::Whole(frames), _busy: busy }
    }

    pub fn text(text: &'static str, busy: Busy) -> Self {
        Self::whole(VecDeque::from([Frame::data(Bytes::from_static(text.as_bytes()))]), busy)
    }

    pub fn live(live: Live, busy: Busy) -> Self {
        Self { content: Content::Live(live), _busy: busy }
    }
}

impl Live {
    /// The guest goes first, so that what it writes leaves at once.
    pub fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.poll_guest(context);
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(expected), Some(data)) = (&mut self.expected, frame.data_ref()) {
                    *expected = expected.saturating_sub(data.len() as u64);
                }
            }
            Some(Err(_)) => self.body = None,
            None => {
                self.body = None;
                // Most guests end right after their body.
                self.poll_guest(context);
                if self.failed {
                    return Poll::Ready(Some(Err(Error::HttpResponseIncomplete)));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn poll_guest(&mut self, context: &mut Context<'_>) {
        if let Some(guest) = &mut self.guest
            && let Poll::Ready(well) = guest.poll(context)
        {
            self.failed |= !well;
            self.guest = None;
            self.turn = None;
        }
    }

    /// Whether the client has got all of the response.
    fn is_complete(&self) -> bool {
        self.body.is_none() || self.expected == Some(0)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !self.is_complete() {
            return;
        }
        if let Some(guest) = self.guest.take() {
            guest.finish_alone(self.body.take(), self.turn.take());
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.get_mut().content {
            Content::Whole(frames) => Poll::Ready(frames.pop_front().map(Ok)),
            Content::Live(live) => live.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(frames) if frames.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(frames) if frames.iter().all(Frame::is_data) => {
                SizeHint::with_exact(frames.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum())
            }
            _ => SizeHint::default(),
        }
    }
}
