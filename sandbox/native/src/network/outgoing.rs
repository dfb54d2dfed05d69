//! Outgoing wasi:http: every request goes through the guest's own pool of connections.

use super::Network;
use super::connector::{Connector, NoConnection, Place, tcp_code};
use super::names::Asked;
use super::tasks::Tasks;
use crate::waiting::Waiting;
use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioTimer;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Connections without a request to one host and port.
const MOST_IDLE: usize = 32;
/// Places whose connections are kept.
const MOST_PLACES: usize = 64;
/// The head of a response, in bytes.
const LARGEST_HEAD: u32 = 128 << 10;
/// Bytes that an HTTP/2 server may send before the guest reads: of one response, and of all of one connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;
/// What a request takes of the host until the head of its response is there, its name looked up and its connection made: about
/// this, in bytes.
const EXCHANGE: u64 = 16 << 10;
/// For whatever a request sets no limit to, as wasmtime-wasi-http has it.
const UNLIMITED: Duration = Duration::from_mins(10);

/// What wasmtime-wasi-http asks its embedder for, in one store.
pub(crate) struct Hooks {
    network: Option<Arc<Network>>,
}

impl Hooks {
    pub fn new(network: Option<Arc<Network>>) -> Self {
        Self { network }
    }
}

type Ending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Ending), Error>;

impl WasiHttpHooks for Hooks {
    // The client writes it from where the request really goes, without the user information that a guest may put there.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Ending,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let Some(network) = self.network.clone() else {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        };
        let tasks = network.tasks.clone();
        let Ok(work) = tasks.holding(EXCHANGE, async move { send(&network, request, options).await }) else {
            let text = "no memory is left for another request";
            return Box::new(std::future::ready(Err(Error::InternalError(Some(text.into())))));
        };
        Box::new(async move {
            let response = work.await.unwrap_or(Err(Error::ConnectionTerminated))?;
            let done: Ending = Box::new(std::future::ready(Ok(())));
            Ok((response, done))
        })
    }
}

/// A guest's connections, apart by scheme, host and port: those to one place can be let go while another is asked.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<String, Client<Connector, Lent>>>);

impl Pool {
    /// The connections to where `uri`, which is normal, leads.
    fn client(&self, network: &Arc<Network>, uri: &Uri) -> Client<Connector, Lent> {
        let place =
            format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |at| at.as_str()));
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MOST_PLACES && !clients.contains_key(&place) {
            clients.clear();
        }
        clients.entry(place).or_insert_with(|| new_client(network)).clone()
    }

    /// Closes the connections to places that no request goes to just now.
    pub fn let_go(&self) {
        let clients = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        drop(clients);
    }
}

fn new_client(network: &Arc<Network>) -> Client<Connector, Lent> {
    let tasks: Tasks = network.tasks.clone();
    Client::builder(tasks)
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MOST_IDLE)
        // A request that a closing connection never began to send goes out by another.
        .retry_canceled_requests(true)
        .http1_max_buf_size(LARGEST_HEAD as usize)
        .http2_max_header_list_size(LARGEST_HEAD)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .build(Connector(Arc::downgrade(network)))
}

async fn send(
    network: &Arc<Network>,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    // A tunnel would need what wasi:http does not have.
    if request.method() == Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    let place = Place::of(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
    let allowed = match &place.host {
        Asked::Address(ip) => network.may_reach("http", SocketAddr::new(*ip, place.port)),
        Asked::Loopback(name) | Asked::Name { name, .. } => network.may_name("http", name, Some(place.port)),
    };
    if !allowed {
        return Err(Error::HttpRequestDenied);
    }
    let (mut parts, body) = request.into_parts();
    parts.uri = place.normal(&parts.uri).ok_or(Error::HttpRequestUriInvalid)?;
    let limits = Limits::of(options);
    let client = network.pool.client(network, &parts.uri);
    // RFC 9110, section 9.2.2.
    let again = parts.method.is_idempotent().then(|| parts.clone());
    let body = Lent::new(body);
    let response = match (exchange(&client, Request::from_parts(parts, body.clone()), limits).await, again) {
        // The server closed a kept connection at the moment it was used again, and has not seen the request.
        (Err(Failure::Client(error)), Some(parts)) if was_cut_off(&error) && body.is_untouched() => {
            exchange(&client, Request::from_parts(parts, body), limits).await
        }
        (response, _) => response,
    };
    let response = response.map_err(|failure| match failure {
        Failure::Client(error) => code(&error),
        Failure::Code(error) => error,
    })?;
    Ok(response.map(|incoming| ResponseBody { incoming, waiting: Waiting::new(limits.between) }.boxed_unsync()))
}

/// What a request allows its server.
#[derive(Clone, Copy)]
struct Limits {
    connect: Duration,
    first: Duration,
    between: Duration,
}

impl Limits {
    fn of(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        Self {
            connect: options.connect_timeout.unwrap_or(UNLIMITED),
            first: options.first_byte_timeout.unwrap_or(UNLIMITED),
            between: options.between_bytes_timeout.unwrap_or(UNLIMITED),
        }
    }
}

enum Failure {
    Client(legacy::Error),
    Code(Error),
}

/// Sends a request and waits for the head of its response.
async fn exchange(
    client: &Client<Connector, Lent>,
    mut request: Request<Lent>,
    limits: Limits,
) -> Result<Response<Incoming>, Failure> {
    let mut connection = capture_connection(&mut request);
    let mut response = pin!(client.request(request));
    let connected = timeout(limits.connect, async {
        tokio::select! {
            biased;
            response = &mut response => Some(response),
            _ = connection.wait_for_connection_metadata() => None,
        }
    });
    let response = match connected.await {
        Err(_) => return Err(Failure::Code(Error::ConnectionTimeout)),
        Ok(Some(response)) => response,
        Ok(None) => timeout(limits.first, response).await.map_err(|_| Failure::Code(Error::ConnectionReadTimeout))?,
    };
    response.map_err(Failure::Client)
}

/// Whether the connection ended before anything of a response came.
fn was_cut_off(error: &legacy::Error) -> bool {
    let by_hyper = |error: &hyper::Error| error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    let by_kernel = |error: &io::Error| matches!(tcp_code(error), Error::ConnectionTerminated);
    cause(error).is_some_and(by_hyper) || cause(error).is_some_and(by_kernel)
}

/// What of its kind is nearest behind `error`.
fn cause<T: std::error::Error + 'static>(error: &dyn std::error::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref() {
            return Some(found);
        }
        next = source.source();
    }
    None
}

/// As wasi:http says it.
fn code(error: &legacy::Error) -> Error {
    if let Some(none) = cause::<NoConnection>(error) {
        return none.code();
    }
    match cause::<hyper::Error>(error) {
        Some(error) if error.is_incomplete_message() => Error::ConnectionTerminated,
        Some(error) => hyper_code(error),
        None => cause(error).map_or(Error::HttpProtocolError, tcp_code),
    }
}

fn hyper_code(error: &hyper::Error) -> Error {
    if let Some(of_guest) = cause::<Error>(error) {
        return match of_guest {
            Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
            other => Error::InternalError(Some(format!("the request's body: {other}"))),
        };
    }
    match error {
        error if error.is_timeout() => Error::HttpResponseTimeout,
        error if error.is_incomplete_message() => Error::HttpResponseIncomplete,
        error if error.is_closed() || error.is_canceled() => Error::ConnectionTerminated,
        error if error.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(Some(LARGEST_HEAD)),
        error => cause(error).map_or(Error::HttpProtocolError, tcp_code),
    }
}

/// The guest's body, which a connection that is lost leaves as it was if it took nothing of it: many guests open the body of a
/// GET and write nothing. Clones are the same.
#[derive(Clone)]
struct Lent(Arc<Mutex<Loan>>);

struct Loan {
    body: WasiBody,
    /// Something was taken.
    touched: bool,
    /// The end came.
    ended: bool,
}

impl Lent {
    fn new(body: WasiBody) -> Self {
        let ended = body.is_end_stream();
        Self(Arc::new(Mutex::new(Loan { body, touched: false, ended })))
    }

    fn is_untouched(&self) -> bool {
        !self.loan().touched
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
        if loan.ended {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut loan.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => loan.ended = true,
            Poll::Ready(Some(_)) => loan.touched = true,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        let loan = self.loan();
        loan.ended || loan.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let loan = self.loan();
        if loan.ended { SizeHint::with_exact(0) } else { loan.body.size_hint() }
    }
}

/// The body of a response, whose server may not pause for too long.
struct ResponseBody {
    incoming: Incoming,
    waiting: Waiting,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.incoming).poll_frame(context);
        Poll::Ready(match ready!(this.waiting.poll(context, polled)) {
            None => Some(Err(Error::ConnectionReadTimeout)),
            Some(None) => None,
            Some(Some(frame)) => Some(frame.map_err(|error| hyper_code(&error))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests;
