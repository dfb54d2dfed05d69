//! Outgoing wasi:http: every request goes through the guest's own pool of connections.

use super::Network;
use super::connector::{Connector, NoConnection, Place, tcp_code};
use super::tasks::Tasks;
use crate::waiting::Waiting;
use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioTimer;
use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
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
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Ending,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let Some(network) = self.network.clone() else {
            return Box::new(std::future::ready(Err(Error::HttpRequestDenied)));
        };
        let work = network.tasks.clone().until_end(async move { send(&network, request, options).await });
        Box::new(async move {
            let response = work.await.unwrap_or(Err(Error::ConnectionTerminated))?;
            let done: Ending = Box::new(std::future::ready(Ok(())));
            Ok((response, done))
        })
    }
}

/// A guest's connections, apart by scheme, host and port: those to one place can be let go while another is asked.
#[derive(Default)]
pub(super) struct Pool(Mutex<HashMap<String, Client<Connector, WasiBody>>>);

impl Pool {
    /// The connections to where `uri`, which is normal, leads.
    fn client(&self, network: &Arc<Network>, uri: &Uri) -> Client<Connector, WasiBody> {
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

fn new_client(network: &Arc<Network>) -> Client<Connector, WasiBody> {
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
        .build(Connector(Arc::downgrade(network)))
}

async fn send(
    network: &Arc<Network>,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    let place = Place::of(request.uri()).ok_or(Error::HttpRequestUriInvalid)?;
    if let Some(name) = place.host.name()
        && !network.may_name("http", name, Some(place.port))
    {
        return Err(Error::HttpRequestDenied);
    }
    let (mut parts, body) = request.into_parts();
    parts.uri = place.normal(&parts.uri).ok_or(Error::HttpRequestUriInvalid)?;
    let limits = Limits::of(options);
    let client = network.pool.client(network, &parts.uri);
    let again = is_repeatable(&parts.method, &body).then(|| parts.clone());
    let response = match (exchange(&client, Request::from_parts(parts, body), limits).await, again) {
        // The server closed a kept connection at the moment it was used again, and has not seen the request.
        (Err(Failure::Client(error)), Some(parts)) if was_cut_off(&error) => {
            let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
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
    client: &Client<Connector, WasiBody>,
    mut request: Request<WasiBody>,
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

/// Whether a request may be sent twice: RFC 9110, section 9.2.2.
fn is_repeatable(method: &Method, body: &WasiBody) -> bool {
    method.is_idempotent() && body.is_end_stream()
}

fn was_cut_off(error: &legacy::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    source.is_some_and(|error| error.is_incomplete_message() || error.is_closed())
}

/// As wasi:http says it.
fn code(error: &legacy::Error) -> Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<NoConnection>() {
            return cause.code();
        }
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return tcp_code(cause);
        }
        if let Some(cause) = cause.downcast_ref::<hyper::Error>() {
            if cause.is_timeout() {
                return Error::HttpResponseTimeout;
            }
            if cause.is_incomplete_message() || cause.is_closed() || cause.is_canceled() {
                return Error::ConnectionTerminated;
            }
            if cause.is_parse_too_large() {
                return Error::HttpResponseHeaderSectionSize(Some(LARGEST_HEAD));
            }
        }
        source = cause.source();
    }
    Error::HttpProtocolError
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
            Some(Some(frame)) => Some(frame.map_err(|error| {
                if error.is_incomplete_message() { Error::HttpResponseIncomplete } else { error.into() }
            })),
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
mod tests {
    use super::super::testing::{RESOLV_CONF, SERVER, World};
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    const HOSTS: &str = "10.53.0.1 origin.test\n";

    fn world(policy: &str, env: &[String], files: &[(&str, &str)]) -> World {
        let mut all = vec![("etc/resolv.conf", RESOLV_CONF), ("etc/hosts", HOSTS)];
        all.extend_from_slice(files);
        World::new(policy, env, &all)
    }

    fn get(uri: &str) -> Request<WasiBody> {
        let body = Empty::new().map_err(|never: Infallible| match never {}).boxed_unsync();
        Request::get(uri).body(body).expect("a request")
    }

    async fn ask(world: &World, uri: &str, options: Option<RequestOptions>) -> Result<(http::Version, String), Error> {
        let mut hooks = Hooks::new(Some(world.network.clone()));
        let (response, _) = Pin::from(hooks.send_request(get(uri), options, Box::new(async { Ok(()) }))).await?;
        let version = response.version();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((version, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Answers each request with its number on its connection, and counts connections.
    fn serve(listener: TcpListener, tls: Option<TlsAcceptor>) -> Arc<AtomicUsize> {
        let connections = Arc::<AtomicUsize>::default();
        let counted = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                counted.fetch_add(1, Ordering::SeqCst);
                let tls = tls.clone();
                tokio::spawn(async move {
                    let requests = AtomicUsize::new(0);
                    let service = hyper::service::service_fn(|_: Request<Incoming>| {
                        let number = requests.fetch_add(1, Ordering::SeqCst) + 1;
                        async move { Ok::<_, Infallible>(Response::new(number.to_string())) }
                    });
                    let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
                    // A client that refuses the certificate ends the connection with an error.
                    match tls {
                        None => drop(builder.serve_connection(hyper_util::rt::TokioIo::new(stream), service).await),
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                let io = hyper_util::rt::TokioIo::new(stream);
                                drop(builder.serve_connection(io, service).await);
                            }
                        }
                    }
                });
            }
        });
        connections
    }

    #[tokio::test]
    async fn requests_to_one_host_share_a_connection_which_is_one_socket() {
        let world = world(r#"{"name": "p", "maxSockets": 1}"#, &[], &[]);
        let connections = serve(world.listen(&format!("{SERVER}:80")), None);
        for number in 1..=3 {
            let (_, body) = ask(&world, "http://origin.test/", None).await.expect("an answer");
            assert_eq!(body, number.to_string());
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1);
        assert_eq!(world.network.sockets.open(), 1);
        // The one idle connection makes room for another host.
        serve(world.listen(&format!("{SERVER}:81")), None);
        assert_eq!(ask(&world, "http://origin.test:81/", None).await.expect("an answer").1, "1");
    }

    #[tokio::test]
    async fn what_the_policy_refuses_is_refused_by_name_and_by_address() {
        let world = world(r#"{"name": "p", "allow": ["*.allowed.test", "10.53.0.1:81"]}"#, &[], &[]);
        let denied = ask(&world, &format!("http://{SERVER}/"), None).await;
        assert!(matches!(denied, Err(Error::DestinationIpProhibited)), "{denied:?}");
        serve(world.listen(&format!("{SERVER}:81")), None);
        assert_eq!(ask(&world, &format!("http://{SERVER}:81/"), None).await.expect("allowed").1, "1");
        assert_eq!(world.network.refused(), 1);
        let mut hooks = Hooks::new(None);
        let none = Pin::from(hooks.send_request(get("http://a.test/"), None, Box::new(async { Ok(()) }))).await;
        assert!(matches!(none, Err(Error::HttpRequestDenied)));
    }

    #[tokio::test]
    async fn tls_trusts_what_the_guest_names_and_speaks_http_2() {
        let made = rcgen::generate_simple_self_signed(["origin.test".to_owned()]).expect("a certificate");
        let pem = made.cert.pem();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a server");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let named = ["SSL_CERT_FILE=/etc/own.pem".to_owned()];
        let trusting = world(r#"{"name": "p"}"#, &named, &[("etc/own.pem", &pem)]);
        serve(trusting.listen(&format!("{SERVER}:443")), Some(acceptor.clone()));
        let (version, body) = ask(&trusting, "https://origin.test/", None).await.expect("an answer");
        assert_eq!((version, body.as_str()), (http::Version::HTTP_2, "1"));
        let strange = world(r#"{"name": "p"}"#, &[], &[]);
        serve(strange.listen(&format!("{SERVER}:443")), Some(acceptor));
        let refused = ask(&strange, "https://origin.test/", None).await;
        assert!(matches!(refused, Err(Error::TlsCertificateError)), "{refused:?}");
        let missing = world(r#"{"name": "p"}"#, &named, &[]);
        serve(missing.listen(&format!("{SERVER}:443")), None);
        let refused = ask(&missing, "https://origin.test/", None).await;
        assert!(matches!(refused, Err(Error::TlsCertificateError)), "{refused:?}");
    }

    #[tokio::test]
    async fn failures_have_the_codes_of_wasi_http() {
        let world = world(r#"{"name": "p"}"#, &[], &[]);
        let refused = ask(&world, "http://origin.test:9/", None).await;
        assert!(matches!(refused, Err(Error::ConnectionRefused)), "{refused:?}");
        let silent = world.listen(&format!("{SERVER}:82"));
        let options = RequestOptions { first_byte_timeout: Some(Duration::from_millis(50)), ..Default::default() };
        let late = ask(&world, "http://origin.test:82/", Some(options)).await;
        assert!(matches!(late, Err(Error::ConnectionReadTimeout)), "{late:?}");
        drop(silent);
        let wrong = ask(&world, "http://origin.test:x/", None).await;
        assert!(matches!(wrong, Err(Error::HttpRequestUriInvalid)), "{wrong:?}");
        world.network.close();
        let ended = ask(&world, "http://origin.test/", None).await;
        assert!(matches!(ended, Err(Error::ConnectionTerminated)), "{ended:?}");
    }
}
