//! Outgoing wasi:http: from the guest's request to its response.
//!
//! Requests of all instances of a guest share connections: HTTP/1.1, or HTTP/2 where the server chooses it in the TLS
//! handshake. A request that a reused connection lost before any answer is sent again, if its method may be repeated and
//! nothing of a body was taken from the guest: servers close idle connections as they like.

use super::Network;
use super::connector::{Connector, NoConnection, Place, tcp_code};
use super::link::{Link, Links, Turn};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioTimer;
use std::error::Error as StdError;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Where a request says nothing, as for wasmtime.
const PATIENCE: Duration = Duration::from_mins(10);
/// For the next request of a connection, and connections to one place that wait for it.
const IDLE: Duration = Duration::from_secs(30);
const MOST_IDLE: usize = 32;
/// Bytes of a response's headers.
const LARGEST_HEAD: usize = 256 << 10;
/// Bytes that an HTTP/2 server may send before the guest reads: of one response, and of all of one connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// How often a request is sent, where connections are lost.
const ATTEMPTS: usize = 4;

/// What wasmtime-wasi-http asks its embedder for, in one store.
pub(crate) struct Hooks {
    network: Option<Arc<Network>>,
}

impl Hooks {
    pub fn new(network: Option<Arc<Network>>) -> Self {
        Self { network }
    }
}

type Answer = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Hooks {
    // The client writes it from the place that the request really goes to.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let Some(network) = self.network.clone() else {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        };
        let tasks = network.tasks.clone();
        let exchange = tasks.until_end(async move { exchange(&network, request, options.unwrap_or_default()).await });
        Box::new(async move {
            let response = exchange.await.unwrap_or(Err(Error::ConnectionTerminated))?;
            // The connection is a task of its own: there is nothing left to drive.
            Ok((response, Box::new(std::future::ready(Ok(()))) as Box<_>))
        })
    }
}

/// A guest's connections, open and idle.
#[derive(Default)]
pub(super) struct Pool {
    client: Mutex<Option<Client<Connector, Lent>>>,
    pub links: Links,
}

impl Pool {
    fn client(&self, network: &Arc<Network>) -> Client<Connector, Lent> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.get_or_insert_with(|| new_client(network)).clone()
    }

    /// Forgets the idle connections.
    pub fn close(&self) {
        drop(self.client.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn new_client(network: &Arc<Network>) -> Client<Connector, Lent> {
    Client::builder(network.tasks.clone())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MOST_IDLE)
        .http1_max_buf_size(LARGEST_HEAD)
        .http2_max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX))
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .build(Connector(Arc::downgrade(network)))
}

async fn exchange(
    network: &Arc<Network>,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    // A tunnel would need what wasi:http does not have.
    if request.method() == Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let place = Place::of(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
    let uri = place.normal(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
    if let Some(name) = place.host.name()
        && !network.may_name("http", name, Some(place.port))
    {
        return Err(Error::HttpRequestDenied);
    }
    let (head, body) = request.into_parts();
    let again = head.method.is_idempotent();
    let body = Lent::new(body);
    let mut attempts = 1;
    loop {
        let request = outgoing(&head.method, &uri, &head.headers, body.clone())?;
        let sent = send(network, request, &options).await;
        let lost = match sent {
            Ok((response, turn)) => return Ok(received(response, turn, &options)),
            Err(lost) => lost,
        };
        if !(again && lost.by_a_reused_connection && attempts < ATTEMPTS && body.take_back()) {
            return Err(lost.code);
        }
        attempts += 1;
    }
}

fn outgoing(method: &Method, uri: &Uri, headers: &HeaderMap, body: Lent) -> Result<Request<Lent>, Error> {
    let mut request =
        Request::builder().method(method).uri(uri).body(body).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().clone_from(headers);
    Ok(request)
}

/// Why there is no response.
struct Lost {
    code: Error,
    /// It had been used before, and ended without a word.
    by_a_reused_connection: bool,
}

impl From<Error> for Lost {
    fn from(code: Error) -> Self {
        Self { code, by_a_reused_connection: false }
    }
}

/// Sends once: up to a connection, then up to the response's head.
async fn send(
    network: &Arc<Network>,
    mut request: Request<Lent>,
    options: &RequestOptions,
) -> Result<(Response<Incoming>, Option<Turn>), Lost> {
    let mut captured = capture_connection(&mut request);
    let mut answer = pin!(network.pool.client(network).request(request));
    let connected = async {
        let known = async { drop(captured.wait_for_connection_metadata().await) };
        tokio::select! {
            biased;
            answer = &mut answer => Some(answer),
            () = known => None,
        }
    };
    let early = timeout(options.connect_timeout.unwrap_or(PATIENCE), connected).await;
    let early = early.map_err(|_| Error::ConnectionTimeout)?;
    let (turn, reused) = taken(&captured).map_or((None, false), |link| {
        let (turn, again) = link.take();
        (Some(turn), again)
    });
    let answer = match early {
        Some(answer) => answer,
        None => timeout(options.first_byte_timeout.unwrap_or(PATIENCE), answer)
            .await
            .map_err(|_| Error::ConnectionReadTimeout)?,
    };
    match answer {
        Ok(response) => Ok((response, turn)),
        Err(error) => Err(Lost { by_a_reused_connection: reused && is_lost(&error), code: request_code(&error) }),
    }
}

/// The connection that a request took.
fn taken(captured: &CaptureConnection) -> Option<Link> {
    let mut extras = http::Extensions::new();
    captured.connection_metadata().as_ref()?.get_extras(&mut extras);
    extras.remove()
}

/// Whether the connection ended before anything of a response came.
fn is_lost(error: &legacy::Error) -> bool {
    let by_hyper = |error: &hyper::Error| error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    cause::<hyper::Error>(error).is_some_and(by_hyper)
        || cause::<io::Error>(error).is_some_and(|error| matches!(tcp_code(error), Error::ConnectionTerminated))
}

fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn request_code(error: &legacy::Error) -> Error {
    if let Some(none) = cause::<NoConnection>(error) {
        return none.code();
    }
    match cause::<hyper::Error>(error) {
        Some(error) if error.is_incomplete_message() => Error::ConnectionTerminated,
        Some(error) => code(error),
        None => Error::HttpProtocolError,
    }
}

/// As wasi:http says it.
fn code(error: &hyper::Error) -> Error {
    if let Some(of_guest) = cause::<Error>(error) {
        return match of_guest {
            Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
            other => Error::InternalError(Some(format!("the request's body: {other}"))),
        };
    }
    match error {
        error if error.is_timeout() => Error::HttpResponseTimeout,
        error if error.is_incomplete_message() => Error::HttpResponseIncomplete,
        error if error.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
        error if error.is_canceled() || error.is_closed() => Error::ConnectionTerminated,
        error => cause::<io::Error>(error).map_or(Error::HttpProtocolError, tcp_code),
    }
}

/// The guest's body, of which a connection that is lost gives back what it did not take. Clones are the same.
#[derive(Clone)]
struct Lent(Arc<Mutex<Loan>>);

struct Loan {
    body: WasiBody,
    /// Something was taken.
    spent: bool,
    /// It ended without anything.
    empty: bool,
}

impl Lent {
    fn new(body: WasiBody) -> Self {
        let empty = body.is_end_stream();
        Self(Arc::new(Mutex::new(Loan { body, spent: false, empty })))
    }

    /// Whether the body is as the guest gave it.
    fn take_back(&self) -> bool {
        !self.loan().spent
    }

    fn loan(&self) -> MutexGuard<'_, Loan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut loan = self.loan();
        if loan.empty {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut loan.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => loan.empty = true,
            Poll::Ready(Some(_)) => loan.spent = true,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        let loan = self.loan();
        loan.empty || loan.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let loan = self.loan();
        if loan.empty { SizeHint::with_exact(0) } else { loan.body.size_hint() }
    }
}

fn received(mut response: Response<Incoming>, turn: Option<Turn>, options: &RequestOptions) -> Response<WasiBody> {
    // The client may have sent the request again over another connection.
    let turn = match response.extensions_mut().remove::<Link>() {
        Some(link) => turn.filter(|turn| turn.is_of(&link)).or_else(|| Some(link.take().0)),
        None => turn,
    };
    let patience = options.between_bytes_timeout.unwrap_or(PATIENCE);
    response.map(|body| {
        let turn = turn.filter(|_| !body.is_end_stream());
        Received { body, turn, patience, timer: None }.boxed_unsync()
    })
}

/// A response's body: each part is waited for as long as the request says.
struct Received {
    body: Incoming,
    /// Until the end.
    turn: Option<Turn>,
    patience: Duration,
    /// Set while a part is waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                this.timer = None;
                if frame.is_none() {
                    this.turn = None;
                }
                Poll::Ready(frame.map(|frame| frame.map_err(|error| code(&error))))
            }
            Poll::Pending => {
                let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(this.patience)));
                timer.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        // What is here already need not cost the connection.
        let mut context = Context::from_waker(Waker::noop());
        while !self.body.is_end_stream() {
            match Pin::new(&mut self.body).poll_frame(&mut context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => return,
                Poll::Pending => return turn.abandon(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
