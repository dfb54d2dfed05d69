//! Connections for outgoing HTTP: resolved, judged, made in the guest's namespace, counted.

use super::Network;
use super::name_servers::tcp_socket;
use super::names::{Asked, NameError};
use crate::quota::Permit;
use hickory_resolver::proto::op::ResponseCode;
use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;
use wasmtime_wasi_http::Error;

/// From the name to the end of the handshake, whatever a request allows.
const LONGEST: Duration = Duration::from_mins(1);
/// For the handshake of TLS, once TCP has connected.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For one address where others follow: the kernel repeats its SYN after 1 and 3 seconds.
const ONE_OF_SEVERAL: Duration = Duration::from_secs(3);
/// Pause before the next address is tried beside those that have not answered: RFC 8305's recommendation.
const STAGGER: Duration = Duration::from_millis(250);
/// How long a socket is waited for after idle connections were let go.
const FOR_A_SOCKET: Duration = Duration::from_millis(500);

/// Where a request goes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub host: Asked,
    pub port: u16,
    tls: bool,
}

impl Place {
    /// `None`: it has no host, a bad one, or a scheme other than http and https.
    pub fn of(uri: &Uri) -> Option<Self> {
        let tls = match uri.scheme()? {
            scheme if *scheme == Scheme::HTTPS => true,
            scheme if *scheme == Scheme::HTTP => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = Asked::parse(authority.host()).ok()?;
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            // The text behind a colon that is no port.
            None if authority.as_str().rsplit('@').next()?.len() > authority.host().len() + 1 => return None,
            None if tls => 443,
            None => 80,
        };
        Some(Self { host, port, tls })
    }

    /// `uri` written in one way only, so that connections to a place are found again: the host in lower case and ASCII,
    /// neither user information nor a port that is implied.
    pub fn normal(&self, uri: &Uri) -> Option<Uri> {
        let host = match &self.host {
            Asked::Address(IpAddr::V6(ip)) => format!("[{ip}]"),
            Asked::Address(IpAddr::V4(ip)) => ip.to_string(),
            Asked::Loopback(name) => name.clone(),
            Asked::Name { name, rooted } => format!("{name}{}", if *rooted { "." } else { "" }),
        };
        let implied = if self.tls { 443 } else { 80 };
        let authority = if self.port == implied { host } else { format!("{host}:{}", self.port) };
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Uri::builder().scheme(uri.scheme_str()?).authority(authority).path_and_query(path).build().ok()
    }

    fn server_name(&self) -> Option<ServerName<'static>> {
        match &self.host {
            Asked::Address(ip) => Some(ServerName::from(*ip)),
            Asked::Loopback(name) | Asked::Name { name, .. } => ServerName::try_from(name.clone()).ok(),
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoConnection {
    Place,
    Name(NameError),
    /// The policy refuses all addresses.
    Prohibited,
    /// The guest holds as many sockets as it may.
    Sockets,
    Tcp(io::Error),
    /// The guest's certificates cannot be read; the log says why.
    Trust,
    Tls(io::Error),
    TimedOut,
    Ended,
}

impl fmt::Display for NoConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no connection: {self:?}")
    }
}

impl std::error::Error for NoConnection {}

impl NoConnection {
    /// As wasi:http says it.
    pub fn code(&self) -> Error {
        match self {
            Self::Place => Error::HttpRequestUriInvalid,
            Self::Name(error) => name_code(error),
            Self::Prohibited => Error::DestinationIpProhibited,
            Self::Sockets => Error::ConnectionLimitReached,
            Self::Tcp(error) => tcp_code(error),
            Self::Trust => Error::TlsCertificateError,
            Self::Tls(error) => tls_code(error),
            Self::TimedOut => Error::ConnectionTimeout,
            Self::Ended => Error::ConnectionTerminated,
        }
    }
}

fn name_code(error: &NameError) -> Error {
    let rcode = |code: &ResponseCode| match code {
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => other.to_string(),
    };
    match error {
        NameError::Invalid => Error::HttpRequestUriInvalid,
        NameError::Temporary(None) => Error::DnsTimeout,
        NameError::Unresolvable(code) | NameError::Permanent(code) | NameError::Temporary(Some(code)) => {
            Error::DnsError { rcode: Some(rcode(code)), info_code: None }
        }
    }
}

pub(super) fn tcp_code(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::NetworkUnreachable => Error::DestinationIpUnroutable,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown | io::ErrorKind::AddrNotAvailable => {
            Error::DestinationUnavailable
        }
        // What a firewall answers.
        io::ErrorKind::PermissionDenied => Error::DestinationIpProhibited,
        io::ErrorKind::TimedOut => Error::ConnectionTimeout,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Error::ConnectionTerminated,
        _ if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => Error::ConnectionLimitReached,
        _ => Error::InternalError(Some(error.to_string())),
    }
}

fn tls_code(error: &io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(rustls::Error::AlertReceived(alert)) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: Some(format!("{alert:?}")) }
        }
        Some(_) => Error::TlsProtocolError,
        None => tcp_code(error),
    }
}

/// Makes a guest's connections, for as long as its network is there.
#[derive(Clone)]
pub(super) struct Connector(pub Weak<Network>);

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = NoConnection;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, NoConnection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let network = self.0.upgrade();
        Box::pin(async move {
            let network = network.ok_or(NoConnection::Ended)?;
            let place = Place::of(&uri).ok_or(NoConnection::Place)?;
            timeout(LONGEST, connect(&network, &place)).await.map_err(|_| NoConnection::TimedOut)?
        })
    }
}

async fn connect(network: &Arc<Network>, place: &Place) -> Result<Stream, NoConnection> {
    let mut addresses = network.resolve(&place.host).await.map_err(NoConnection::Name)?;
    addresses.retain(|ip| network.may_reach("http-connect", SocketAddr::new(*ip, place.port)));
    if addresses.is_empty() {
        return Err(NoConnection::Prohibited);
    }
    let permit = permit(network).await?;
    let (tcp, permit) = first_of(network, &addresses, place.port, permit).await.map_err(NoConnection::Tcp)?;
    let kind = if place.tls {
        let config = network.trust.config(&network.tasks).await.map_err(|wrong| {
            network.refusals.trouble("outgoing TLS is not possible", &wrong);
            NoConnection::Trust
        })?;
        let name = place.server_name().ok_or(NoConnection::Place)?;
        let handshake = timeout(HANDSHAKE, TlsConnector::from(config).connect(name, tcp));
        let tls = handshake.await.map_err(|_| NoConnection::TimedOut)?.map_err(NoConnection::Tls)?;
        Kind::Tls(Box::new(TokioIo::new(tls)))
    } else {
        Kind::Plain(TokioIo::new(tcp))
    };
    Ok(Stream { kind, _permit: permit })
}

/// The right to one more socket, which idle connections make room for.
async fn permit(network: &Network) -> Result<Permit, NoConnection> {
    if let Some(permit) = network.sockets.permit() {
        return Ok(permit);
    }
    network.pool.let_go();
    network.sockets.permit_within(FOR_A_SOCKET).await.ok_or_else(|| {
        network.out_of_sockets("http-connect");
        NoConnection::Sockets
    })
}

/// The first address that accepts; none: why the first that failed did. Each is tried for a while, and the next beside it
/// if it has not answered soon, or in its place if it has refused.
async fn first_of(
    network: &Network,
    addresses: &[IpAddr],
    port: u16,
    permit: Permit,
) -> io::Result<(TcpStream, Permit)> {
    let mut to_try = by_turns(addresses).into_iter().peekable();
    let mut attempts: Vec<Attempt<'_>> = Vec::new();
    let mut spare = Some(permit);
    let mut failure = None;
    let mut stagger = pin!(tokio::time::sleep(Duration::ZERO));
    poll_fn(|context| {
        loop {
            let mut index = 0;
            while index < attempts.len() {
                match attempts[index].as_mut().poll(context) {
                    Poll::Pending => index += 1,
                    Poll::Ready((Ok(stream), permit)) => return Poll::Ready(Ok((stream, permit))),
                    Poll::Ready((Err(error), permit)) => {
                        failure.get_or_insert(error);
                        spare = Some(permit);
                        drop(attempts.remove(index));
                    }
                }
            }
            while spare.is_none() && to_try.peek().is_some() && stagger.as_mut().poll(context).is_ready() {
                // Without room for another socket the one that is tried has all its time.
                spare = network.sockets.permit();
                stagger.as_mut().reset(Instant::now() + STAGGER);
            }
            if let Some(ip) = to_try.next_if(|_| spare.is_some())
                && let Some(permit) = spare.take()
            {
                let patience = if to_try.peek().is_some() { ONE_OF_SEVERAL } else { LONGEST };
                attempts.push(Box::pin(attempt(network, SocketAddr::new(ip, port), patience, permit)));
                stagger.as_mut().reset(Instant::now() + STAGGER);
            } else if attempts.is_empty() {
                let failure = failure.take().unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
                return Poll::Ready(Err(failure));
            } else {
                return Poll::Pending;
            }
        }
    })
    .await
}

type Attempt<'a> = Pin<Box<dyn Future<Output = (io::Result<TcpStream>, Permit)> + Send + 'a>>;

async fn attempt(
    network: &Network,
    remote: SocketAddr,
    patience: Duration,
    permit: Permit,
) -> (io::Result<TcpStream>, Permit) {
    let connect = async {
        let socket = network.namespace.inside(|| tcp_socket(remote, None))??;
        timeout(patience, socket.connect(remote)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    };
    (connect.await, permit)
}

/// The families by turns, each in its order: one of them may lead nowhere.
fn by_turns(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let (same, other): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|ip| ip.is_ipv4() == first.is_ipv4());
    let mut other = other.into_iter();
    let mut all: Vec<IpAddr> = same.into_iter().flat_map(|ip| [Some(ip), other.next()]).flatten().collect();
    all.extend(other);
    all
}

/// A connection, counted as one of the guest's sockets for as long as it is there.
pub(super) struct Stream {
    kind: Kind,
    _permit: Permit,
}

enum Kind {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        let h2 = |tls: &TokioIo<TlsStream<TcpStream>>| tls.inner().get_ref().1.alpn_protocol() == Some(b"h2");
        match &self.kind {
            Kind::Tls(tls) if h2(tls) => connected.negotiated_h2(),
            _ => connected,
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Kind::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.kind {
            Kind::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Kind::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Kind::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Kind::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.kind {
            Kind::Plain(tcp) => tcp.is_write_vectored(),
            Kind::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.kind {
            Kind::Plain(tcp) => Pin::new(tcp).poll_write_vectored(context, bytes),
            Kind::Tls(tls) => Pin::new(tls).poll_write_vectored(context, bytes),
        }
    }
}
