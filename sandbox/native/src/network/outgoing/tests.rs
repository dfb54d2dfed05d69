//! Requests to real servers inside a namespace.

use super::super::testing::{Answer, NameServer, RESOLV_CONF, SERVER, World, addresses};
use super::*;
use http::HeaderMap;
use http_body_util::{Empty, Full};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// A server of any protocol that its clients choose, which says what it was asked.
struct Origin {
    connections: Arc<AtomicUsize>,
    port: u16,
}

impl Origin {
    fn start(world: &World, tls: Option<TlsAcceptor>) -> Self {
        let listener = world.listen(&format!("{SERVER}:0"));
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::<AtomicUsize>::default();
        tokio::spawn(serve(listener, tls, connections.clone()));
        Self { connections, port }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{SERVER}:{}{path}", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, connections: Arc<AtomicUsize>) {
    loop {
        let (stream, _) = listener.accept().await.expect("accept");
        connections.fetch_add(1, Ordering::Relaxed);
        match tls.clone() {
            None => drop(tokio::spawn(talk(stream))),
            Some(tls) => drop(tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    talk(stream).await;
                }
            })),
        }
    }
}

async fn talk(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static) {
    // A client that goes away is no failure here.
    drop(auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service_fn(answer)).await);
}

async fn answer(request: Request<Incoming>) -> Result<Response<WasiBody>, Infallible> {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or("-").to_owned();
    let told = format!("{} {:?} {} {host}", request.method(), request.version(), request.uri());
    let path = request.uri().path().to_owned();
    Ok(Response::new(match path.as_str() {
        "/echo" => {
            let body = request.into_body().collect().await.expect("a body");
            let trailers = body.trailers().cloned();
            Full::new(body.to_bytes())
                .with_trailers(async move { trailers.map(Ok) })
                .map_err(|never| match never {})
                .boxed_unsync()
        }
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(2)).await;
            text(told)
        }
        "/stall" => {
            let (frames, body) = body_by_hand();
            frames.send(Frame::data(Bytes::from("first"))).expect("open");
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                drop(frames);
            });
            body
        }
        _ => text(told),
    }))
}

fn text(text: String) -> WasiBody {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}

fn nothing() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

type Frames<T> = mpsc::UnboundedSender<T>;

fn body_by_hand() -> (Frames<Frame<Bytes>>, WasiBody) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, ByHand(receiver, Ok).boxed_unsync())
}

fn failing_body() -> (Frames<Result<Frame<Bytes>, Error>>, WasiBody) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, ByHand(receiver, |frame| frame).boxed_unsync())
}

/// Frames from a channel.
struct ByHand<T>(mpsc::UnboundedReceiver<T>, fn(T) -> Result<Frame<Bytes>, Error>);

impl<T> Body for ByHand<T> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let as_frame = self.1;
        self.0.poll_recv(context).map(|next| next.map(as_frame))
    }
}

fn request(method: &str, url: &str, body: WasiBody) -> Request<WasiBody> {
    Request::builder().method(method).uri(url).body(body).expect("a request")
}

async fn fetch(
    world: &World,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    let mut hooks = Hooks::new(Some(world.network.clone()));
    let sent = hooks.send_request(request, Some(options), Box::new(std::future::ready(Ok(()))));
    Pin::from(sent).await.map(|(response, _)| response)
}

async fn get(world: &World, url: &str) -> Result<String, Error> {
    read(fetch(world, request("GET", url, nothing()), RequestOptions::default()).await?).await
}

async fn read(response: Response<WasiBody>) -> Result<String, Error> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn has_code<T>(answer: Result<T, Error>, code: &Error) {
    match answer {
        Ok(_) => panic!("expected {code:?}"),
        Err(error) => assert_eq!(format!("{error:?}"), format!("{code:?}")),
    }
}

/// A certificate for "web.test" and [`SERVER`], and the PEM text of who issued it.
fn certificates(protocols: &[&[u8]]) -> (TlsAcceptor, String) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an issuer");
    let key = KeyPair::generate().expect("a key");
    let names = vec!["web.test".to_owned(), SERVER.to_owned()];
    let certificate =
        CertificateParams::new(names).expect("parameters").signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a certificate");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), issuer.pem())
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(5), "not within 5 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn requests_share_a_connection_of_the_namespace() {
    let world = World::open();
    let origin = Origin::start(&world, None);
    let host = format!("{SERVER}:{}", origin.port);
    for path in ["/a?b=c", "/", ""] {
        let shown = if path.is_empty() { "/" } else { path };
        assert_eq!(get(&world, &origin.url(path)).await.expect("an answer"), format!("GET HTTP/1.1 {shown} {host}"));
    }
    let named = format!("http://me:secret@{SERVER}:{}/", origin.port);
    assert_eq!(get(&world, &named).await.expect("an answer"), format!("GET HTTP/1.1 / {host}"));
    drop(fetch(&world, request("GET", &origin.url("/"), nothing()), RequestOptions::default()).await.expect("a head"));
    assert!(get(&world, &origin.url("/")).await.is_ok());
    assert_eq!((origin.connections(), world.network.sockets.taken()), (1, 1));
    assert!(world.account.cpu_ns() > 0);
}

#[tokio::test]
async fn the_nodes_loopback_device_is_out_of_reach() {
    let world = World::open();
    let node = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let port = node.local_addr().expect("an address").port();
    has_code(get(&world, &format!("http://127.0.0.1:{port}/")).await, &Error::ConnectionRefused);
    has_code(get(&world, &format!("http://localhost:{port}/")).await, &Error::ConnectionRefused);
}

#[tokio::test]
async fn https_speaks_what_the_server_chooses_and_trusts_the_guests_certificates() {
    for (protocols, version) in
        [(&[&b"h2"[..], b"http/1.1"][..], "HTTP/2.0"), (&[b"http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")]
    {
        let (tls, pem) = certificates(protocols);
        let env = ["SSL_CERT_FILE=/etc/own.pem".to_owned()];
        let files = [("etc/resolv.conf", RESOLV_CONF), ("etc/hosts", "10.53.0.1 web.test\n"), ("etc/own.pem", &pem)];
        let world = World::new(r#"{"name": "p"}"#, &env, &files);
        let origin = Origin::start(&world, Some(tls));
        let url = format!("https://Web.test:{}/x", origin.port);
        let expected = match version {
            "HTTP/2.0" => format!("GET HTTP/2.0 https://web.test:{}/x -", origin.port),
            _ => format!("GET HTTP/1.1 /x web.test:{}", origin.port),
        };
        assert_eq!(get(&world, &url).await.expect("an answer"), expected);
        let all = tokio::join!(get(&world, &url), get(&world, &url), get(&world, &url));
        assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok());
        if version == "HTTP/2.0" {
            assert_eq!(origin.connections(), 1);
        }
        assert!(get(&world, &format!("https://{SERVER}:{}/", origin.port)).await.is_ok(), "by its address");
    }
}

#[tokio::test]
async fn certificates_that_do_not_do_are_told() {
    let (tls, pem) = certificates(&[]);
    let usual = World::open();
    usual.write("etc/hosts", "10.53.0.1 web.test other.test\n");
    let origin = Origin::start(&usual, Some(tls.clone()));
    // The node does not know the authority.
    has_code(get(&usual, &format!("https://web.test:{}/", origin.port)).await, &Error::TlsCertificateError);

    let env = ["SSL_CERT_FILE=/etc/own.pem".to_owned()];
    let world = World::new(r#"{"name": "p"}"#, &env, &[("etc/hosts", "10.53.0.1 web.test other.test\n")]);
    let origin = Origin::start(&world, Some(tls));
    let url = format!("https://web.test:{}/", origin.port);
    has_code(get(&world, &url).await, &Error::TlsCertificateError);
    world.write("etc/own.pem", "nothing\n");
    has_code(get(&world, &url).await, &Error::TlsCertificateError);
    world.write("etc/own.pem", &pem);
    assert!(get(&world, &url).await.is_ok());
    has_code(get(&world, &format!("https://other.test:{}/", origin.port)).await, &Error::TlsCertificateError);
    // Somebody who does not speak TLS.
    let plain = Origin::start(&world, None);
    has_code(get(&world, &format!("https://web.test:{}/", plain.port)).await, &Error::TlsProtocolError);
}

#[tokio::test]
async fn certificates_of_directories_are_trusted_beside_the_bundle() {
    let ((tls, pem), (other_tls, other)) = (certificates(&[]), certificates(&[]));
    let env = ["SSL_CERT_FILE=/etc/own.pem".to_owned(), "SSL_CERT_DIR=/none:/etc/certs:/etc".to_owned()];
    let files = [("etc/hosts", "10.53.0.1 web.test\n"), ("etc/own.pem", &*pem), ("etc/0f3a.0", &*other)];
    for env in [&env[..], &env[1..]] {
        let world = World::new(r#"{"name": "p"}"#, env, &files);
        for tls in [&tls, &other_tls] {
            let origin = Origin::start(&world, Some(tls.clone()));
            assert!(get(&world, &format!("https://web.test:{}/", origin.port)).await.is_ok());
        }
    }
    let world = World::new(r#"{"name": "p"}"#, &env[1..], &files[..1]);
    let origin = Origin::start(&world, Some(tls));
    has_code(get(&world, &format!("https://web.test:{}/", origin.port)).await, &Error::TlsCertificateError);
    // Without the directory's certificates the bundle does alone.
    let world = World::new(r#"{"name": "p"}"#, &env, &files[..2]);
    let origin = Origin::start(&world, Some(other_tls));
    has_code(get(&world, &format!("https://web.test:{}/", origin.port)).await, &Error::TlsCertificateError);
}

#[tokio::test]
async fn policies_judge_names_and_addresses() {
    let policy = r#"{"name": "p", "allow": ["web.test", "192.0.2.0/24"], "deny": ["192.0.2.128/25"]}"#;
    let world = World::new(policy, &[], &[("etc/resolv.conf", RESOLV_CONF)]);
    let _names = NameServer::start(&world, SERVER, |name, _| match name {
        "far.test" => addresses(&["203.0.113.7"]),
        _ => addresses(&[SERVER]),
    });
    let origin = Origin::start(&world, None);
    has_code(get(&world, &origin.url("/")).await, &Error::HttpRequestDenied);
    assert!(get(&world, &format!("http://web.test:{}/", origin.port)).await.is_ok());
    assert!(get(&world, &origin.url("/")).await.is_ok(), "the name opened its address");
    has_code(get(&world, "http://192.0.2.200/").await, &Error::HttpRequestDenied);
    // A name that no rule is about may lead to addresses that are allowed; this one does not.
    has_code(get(&world, "http://far.test./").await, &Error::DestinationIpProhibited);
    let denied = world.network.refused();

    let closed = World::new(r#"{"name": "p", "allow": ["web.test"]}"#, &[], &[("etc/resolv.conf", RESOLV_CONF)]);
    let names = NameServer::start(&closed, SERVER, |_, _| addresses(&[SERVER]));
    has_code(get(&closed, "http://other.test/").await, &Error::HttpRequestDenied);
    assert_eq!((denied, closed.network.refused(), names.asked().len()), (3, 1, 0));

    let mut none = Hooks::new(None);
    let sent =
        none.send_request(request("GET", "http://web.test/", nothing()), None, Box::new(std::future::ready(Ok(()))));
    has_code(Pin::from(sent).await.map(|_| ()), &Error::HttpRequestDenied);
}

#[tokio::test]
async fn sockets_are_counted_and_idle_ones_make_room() {
    let world = World::new(r#"{"name": "p", "maxSockets": 1}"#, &[], &[]);
    let (first, second) = (Origin::start(&world, None), Origin::start(&world, None));
    for _ in 0..3 {
        assert!(get(&world, &first.url("/")).await.is_ok());
        assert!(get(&world, &second.url("/")).await.is_ok());
    }
    assert_eq!(world.network.sockets.taken(), 1);
    let response = fetch(&world, request("GET", &first.url("/stall"), nothing()), RequestOptions::default()).await;
    has_code(get(&world, &second.url("/")).await, &Error::ConnectionLimitReached);
    drop(response.expect("a head"));
    until("sockets", || world.network.sockets.taken() == 0).await;
    assert_eq!(get(&world, &second.url("/")).await.map_err(|error| error.to_string()).map(|_| ()), Ok(()));
    assert_eq!(world.network.refused(), 1);
}

#[tokio::test]
async fn addresses_that_do_not_answer_are_not_waited_for() {
    for most in [10, 1] {
        let policy = format!(r#"{{"name": "p", "maxSockets": {most}}}"#);
        let world = World::new(&policy, &[], &[("etc/resolv.conf", RESOLV_CONF)]);
        let origin = Origin::start(&world, None);
        // The first leads nowhere, and on the second nobody listens.
        let _names = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1", "127.0.0.2", SERVER]));
        let begin = Instant::now();
        assert!(get(&world, &format!("http://web.test.:{}/", origin.port)).await.is_ok());
        // With room for one socket only, each address has its time alone.
        let longest = Duration::from_millis(if most == 1 { 10_000 } else { 2500 });
        assert!(begin.elapsed() < longest, "{:?}", begin.elapsed());
        until("sockets", || world.network.sockets.taken() <= 1).await;
    }
}

#[tokio::test]
async fn each_timeout_has_its_code() {
    let world = World::open();
    let origin = Origin::start(&world, None);
    let soon = Some(Duration::from_millis(150));
    let connect = RequestOptions { connect_timeout: soon, ..RequestOptions::default() };
    // The route leads nowhere.
    has_code(fetch(&world, request("GET", "http://192.0.2.1/", nothing()), connect).await, &Error::ConnectionTimeout);
    let first = RequestOptions { first_byte_timeout: soon, ..RequestOptions::default() };
    has_code(
        fetch(&world, request("GET", &origin.url("/slow"), nothing()), first).await,
        &Error::ConnectionReadTimeout,
    );
    let between = RequestOptions { between_bytes_timeout: soon, ..RequestOptions::default() };
    let response = fetch(&world, request("GET", &origin.url("/stall"), nothing()), between).await.expect("a head");
    has_code(read(response).await, &Error::ConnectionReadTimeout);
    until("sockets", || world.network.sockets.taken() == 0).await;
}

#[tokio::test]
async fn bodies_are_streamed_with_trailers_both_ways() {
    let world = World::open();
    let (tls, pem) = certificates(&[b"h2"]);
    world.write("etc/ssl.pem", &pem);
    let plain = Origin::start(&world, None);
    let env = ["SSL_CERT_FILE=/etc/own.pem".to_owned()];
    let secure = World::new(r#"{"name": "p"}"#, &env, &[("etc/own.pem", &pem)]);
    let h2 = Origin::start(&secure, Some(tls));
    for (world, url) in [(&world, plain.url("/echo")), (&secure, format!("https://{SERVER}:{}/echo", h2.port))] {
        let (frames, body) = body_by_hand();
        let mut request = request("POST", &url, body);
        request.headers_mut().insert("trailer", "x-sum".parse().expect("a value"));
        request.headers_mut().insert("te", "trailers".parse().expect("a value"));
        let send = async {
            for part in ["one ", "two ", "three"] {
                frames.send(Frame::data(Bytes::from(part))).expect("open");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "11".parse().expect("a value"));
            frames.send(Frame::trailers(trailers)).expect("open");
            drop(frames);
        };
        let (response, ()) = tokio::join!(fetch(world, request, RequestOptions::default()), send);
        let body = response.expect("an answer").into_body().collect().await.expect("a body");
        if url.starts_with("https") {
            assert_eq!(
                body.trailers().and_then(|trailers| trailers.get("x-sum")).map(http::HeaderValue::as_bytes),
                Some(&b"11"[..])
            );
        }
        assert_eq!(body.to_bytes(), "one two three");
    }
}

#[tokio::test]
async fn failures_have_their_codes() {
    let world = World::open();
    let _names = NameServer::start(&world, SERVER, |name, _| match name {
        "fails.test" => Answer::Code(2),
        "silent.test" => Answer::Nothing,
        _ => Answer::Code(3),
    });
    let rcode = |rcode: &str| Error::DnsError { rcode: Some(rcode.to_owned()), info_code: None };
    has_code(get(&world, "http://none.test./").await, &rcode("NXDOMAIN"));
    has_code(get(&world, "http://fails.test./").await, &rcode("SERVFAIL"));
    has_code(get(&world, "http://silent.test./").await, &Error::DnsTimeout);
    has_code(get(&world, "http://203.0.113.1/").await, &Error::DestinationIpUnroutable);
    has_code(get(&world, &format!("http://{SERVER}:1/")).await, &Error::ConnectionRefused);
    for url in ["http://a..b/", "http://1.2.3/", "http://x:99999/", "http://origin.test:x/"] {
        let Ok(request) = Request::builder().uri(url).body(nothing()) else { continue };
        has_code(fetch(&world, request, RequestOptions::default()).await, &Error::HttpRequestUriInvalid);
    }
    let (frames, body) = failing_body();
    let broken =
        fetch(&world, request("POST", &Origin::start(&world, None).url("/echo"), body), RequestOptions::default());
    frames.send(Err(Error::HttpRequestBodySize(Some(7)))).expect("open");
    has_code(broken.await, &Error::HttpRequestBodySize(Some(7)));
    let tunnel = request("CONNECT", &format!("http://{SERVER}:1/"), nothing());
    has_code(fetch(&world, tunnel, RequestOptions::default()).await, &Error::HttpRequestMethodInvalid);
}

/// Answers one request on each connection, and closes at the second.
async fn fickle(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        tokio::spawn(async move {
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("write");
            head(&mut stream).await;
        });
    }
}

async fn head(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if stream.read_buf(&mut read).await.is_ok_and(|length| length == 0) {
            return;
        }
    }
}

#[tokio::test]
async fn what_a_reused_connection_lost_is_sent_again_if_it_may_be() {
    let world = World::open();
    let listener = world.listen(&format!("{SERVER}:0"));
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(fickle(listener));
    for _ in 0..4 {
        assert_eq!(get(&world, &url).await.expect("an answer"), "ok");
    }
    // A body that the guest opened and has not written to.
    let (frames, body) = body_by_hand();
    let sent = fetch(&world, request("PUT", &url, body), RequestOptions::default());
    let late = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(frames);
    };
    assert!(tokio::join!(sent, late).0.is_ok());
    // What may have had an effect is not repeated.
    let lost = fetch(&world, request("POST", &url, text("x".into())), RequestOptions::default()).await;
    has_code(lost, &Error::ConnectionTerminated);
}

#[tokio::test]
async fn everything_ends_with_the_network() {
    let world = World::open();
    let origin = Origin::start(&world, None);
    assert!(get(&world, &origin.url("/")).await.is_ok());
    let network = world.network.clone();
    let mut hooks = Hooks::new(Some(network.clone()));
    let slow = request("GET", &origin.url("/slow"), nothing());
    let waiting = Pin::from(hooks.send_request(slow, None, Box::new(std::future::ready(Ok(())))));
    let waiting = tokio::spawn(waiting);
    let reading = fetch(&world, request("GET", &origin.url("/stall"), nothing()), RequestOptions::default()).await;
    until("sockets", || network.sockets.taken() == 2).await;
    network.close();
    has_code(waiting.await.expect("no panic").map(|_| ()), &Error::ConnectionTerminated);
    assert!(read(reading.expect("a head")).await.is_err());
    until("sockets", || network.sockets.taken() == 0).await;
    has_code(get(&world, &origin.url("/")).await, &Error::ConnectionTerminated);
    drop((hooks, world));
    assert_eq!(Arc::strong_count(&network), 1, "something keeps the network");
}

#[tokio::test]
async fn requests_in_progress_are_on_the_guests_bill() {
    let world = World::open();
    world.account.memory.set_limit(10 * EXCHANGE).expect("nothing is used yet");
    // Its connections wait in the backlog for ever.
    let silent = world.listen(&format!("{SERVER}:0"));
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let send = || {
        let mut hooks = Hooks::new(Some(world.network.clone()));
        hooks.send_request(request("GET", &url, nothing()), None, Box::new(std::future::ready(Ok(()))))
    };
    let begun: Vec<_> = (0..10).map(|_| tokio::spawn(Pin::from(send()))).collect();
    until("ten are connected", || world.network.sockets.taken() == 10).await;
    assert_eq!(world.account.memory.buffers(), 10 * EXCHANGE);
    let refused = Pin::from(send()).await;
    has_code(refused, &Error::InternalError(Some("no memory is left for another request".into())));
    drop(begun.into_iter().map(|begun| begun.abort()).collect::<Vec<_>>());
    until("what they held is given back", || world.account.memory.buffers() == 0).await;
}
