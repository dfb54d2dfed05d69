//! From a request to its response.

use super::body::{Live, RequestBody, ResponseBody};
use super::handling::{Handling, Head};
use super::instances::Source;
use super::patience::{Activity, Busy};
use super::phase::Phase;
use super::turns::{NoTurn, Turn};
use super::{Counters, Server};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use wasmtime_wasi_http::{Error, WasiBody};

/// Bytes of a body that are read before the guest is called, if the client says how long it is: so a client that sends slowly
/// holds up its connection only, and neither an instance nor a turn. A body of unknown length may depend on the answer.
const READ_AHEAD: u64 = 64 << 10;

/// Answers one request, in whatever way.
pub(crate) async fn answer(
    server: Arc<Server>,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let busy = activity.request(request.body().size_hint().exact().is_some_and(|length| length > 0));
    let multiplexed = activity.is_multiplexed();
    let mut response = match handle(&server, request).await {
        Ok(begun) => begun.response(busy),
        Err(refusal) => refusal.response(&server.counters, busy),
    };
    // With its next response each client of HTTP/1.1 is sent to another server.
    if !multiplexed && server.phases.now() >= Phase::Draining {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// A request that is not handed to the guest, or not answered by it.
enum Refusal {
    /// The client's fault, or its wish.
    Client(StatusCode, &'static str),
    /// No room; it may try again.
    Busy(&'static str),
    /// The guest had its time.
    TooSlow,
    /// The guest trapped, ended, or answered with an error; its log says more.
    Guest,
}

impl Refusal {
    fn response(self, counters: &Counters, busy: Busy) -> Response<ResponseBody> {
        let (status, text) = match self {
            Self::Client(status, text) => (status, text),
            Self::Busy(text) => (StatusCode::SERVICE_UNAVAILABLE, text),
            Self::TooSlow => (StatusCode::GATEWAY_TIMEOUT, "the program did not answer in time\n"),
            Self::Guest => (StatusCode::INTERNAL_SERVER_ERROR, "the program failed\n"),
        };
        if !matches!(self, Self::Guest) {
            counters.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        let mut response = Response::new(ResponseBody::text(text, busy));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        match self {
            Self::Busy(_) => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
            // What is left of the request's body would be taken for the next request.
            Self::Client(..) => drop(headers.insert(CONNECTION, HeaderValue::from_static("close"))),
            Self::TooSlow | Self::Guest => {}
        }
        response
    }
}

const TOO_LARGE: Refusal =
    Refusal::Client(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than this server accepts\n");

/// A response whose head is there.
struct Begun {
    head: Response<WasiBody>,
    /// `None`: the guest has ended.
    guest: Option<Handling>,
    /// It ended with a trap after the head was sent.
    failed: bool,
    turn: Turn,
    /// The request was HEAD.
    bodyless: bool,
}

async fn handle(server: &Arc<Server>, request: Request<Incoming>) -> Result<Begun, Refusal> {
    let mut request = checked(server, request).await?;
    let bodyless = request.method() == Method::HEAD;
    let turn = server.turns.take().await.map_err(|no_turn| {
        Refusal::Busy(match no_turn {
            NoTurn::Full => "too many requests are waiting; try again\n",
            NoTurn::TooLong => "the request waited for too long; try again\n",
        })
    })?;
    request.body_mut().keep_pace(&server.turns);
    let source = match server.instances.idle() {
        Some(instance) => Source::Idle(instance),
        None => Source::Fresh(server.engine.slot(&server.engine.servers).map_err(|failure| {
            server.log(format_args!("atoll: a request was turned away: {}", failure.text));
            Refusal::Busy("the node has no room for another instance; try again\n")
        })?),
    };
    let (mut guest, mut heads) = Handling::new(server, source, request);
    let mut ended = None;
    let waiting = poll_fn(|context| {
        if ended.is_none()
            && let Poll::Ready(well) = guest.poll(context)
        {
            ended = Some(well);
        }
        match heads.try_recv() {
            Ok(head) => Poll::Ready(Some(head)),
            Err(_) if ended.is_some() => Poll::Ready(None),
            Err(_) => Poll::Pending,
        }
    });
    let Ok(head) = tokio::time::timeout(server.settings.request_timeout(), waiting).await else {
        server.log(format_args!(
            "atoll: a request was ended: it was not answered within {} ms",
            server.settings.request_timeout().as_millis()
        ));
        return Err(Refusal::TooSlow);
    };
    let head = answered(server, head, ended)?;
    server.counters.answered.fetch_add(1, Ordering::Relaxed);
    let failed = ended == Some(false);
    Ok(Begun { head, guest: ended.is_none().then_some(guest), failed, turn, bodyless })
}

/// The head that a guest sent; why there is none is in its log.
fn answered(server: &Server, head: Option<Head>, ended: Option<bool>) -> Result<Response<WasiBody>, Refusal> {
    match head {
        Some(Ok(head)) => return Ok(head),
        Some(Err(error)) => {
            server.failed_to_answer(format_args!("the guest answered a request with an error: {error:?}"));
        }
        None if ended == Some(true) => {
            server.failed_to_answer(format_args!("the guest handled a request without setting a response"));
        }
        // What ended the guest is told already.
        None => {}
    }
    Err(Refusal::Guest)
}

/// Refuses what no guest could handle, and reads the beginning of a body.
async fn checked(server: &Server, mut request: Request<Incoming>) -> Result<Request<RequestBody>, Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal::Client(StatusCode::NOT_IMPLEMENTED, "CONNECT is not offered\n"));
    }
    if request.version() == Version::HTTP_10 && !request.headers().contains_key(HOST) {
        // Clients of HTTP/1.0, health checks above all, need not name one, and every wasi:http request has one.
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    }
    let named = request.uri().authority().is_some()
        || request.headers().get(HOST).is_some_and(|host| host.to_str().is_ok_and(|host| !host.is_empty()));
    if !named {
        return Err(Refusal::Client(StatusCode::BAD_REQUEST, "the request names no host\n"));
    }
    let length = request.body().size_hint().exact();
    let most = match server.settings.max_body_bytes {
        0 => u64::MAX,
        most => most,
    };
    if length.is_some_and(|length| length > most) {
        return Err(TOO_LARGE);
    }
    let mut request = request.map(|body| RequestBody::new(body, most, server.settings.stall_timeout()));
    let Some(ahead) = length.map(|length| length.min(READ_AHEAD)).filter(|ahead| *ahead > 0) else {
        return Ok(request);
    };
    let held = server.recipe.account.hold(ahead).map_err(|_| Refusal::Busy("no memory is left; try again\n"))?;
    request.body_mut().read_ahead(ahead, held).await.map_err(|error| match error {
        Error::HttpRequestBodySize(_) => TOO_LARGE,
        Error::ConnectionReadTimeout => {
            Refusal::Client(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time\n")
        }
        _ => Refusal::Client(StatusCode::BAD_REQUEST, "the body is not what its head announced\n"),
    })?;
    Ok(request)
}

impl Begun {
    fn response(self, busy: Busy) -> Response<ResponseBody> {
        let (parts, mut body) = self.head.into_parts();
        if self.guest.is_none()
            && !self.failed
            && let Some(frames) = all_of(&mut body)
        {
            return Response::from_parts(parts, ResponseBody::whole(frames, busy));
        }
        let declared = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let bodyless = self.bodyless || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let live = Live {
            body: Some(body),
            guest: self.guest,
            failed: self.failed,
            expected: if bodyless { Some(0) } else { declared },
            turn: Some(self.turn),
        };
        Response::from_parts(parts, ResponseBody::live(live, busy))
    }
}

/// All frames of a body whose writer has ended; none if it is not complete.
fn all_of(body: &mut WasiBody) -> Option<VecDeque<http_body::Frame<bytes::Bytes>>> {
    let mut frames = VecDeque::new();
    let mut context = Context::from_waker(std::task::Waker::noop());
    loop {
        match Pin::new(&mut *body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => frames.push_back(frame),
            Poll::Ready(None) => return Some(frames),
            Poll::Ready(Some(Err(_))) | Poll::Pending => return None,
        }
    }
}
