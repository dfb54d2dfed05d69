//! The name servers of a guest: asked one after the other, from the guest's namespace and on its bill.
//!
//! Answers are kept for as long as they say, at most [`KEPT`]; that a name does not exist at most [`ABSENCE_KEPT`]. glibc keeps
//! nothing, but a guest of Kubernetes asks for eight names to reach one.

use super::Namespace;
use super::names::{Found, IN_FLIGHT, NameError};
use super::surroundings::{Configuration, NameServer};
use super::tasks::Tasks;
use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{DnsUdpSocket, RuntimeProvider, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use rustix::net::netdevice;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

/// Answers kept of one server, and for how long at most.
const ANSWERS: u64 = 64;
const KEPT: Duration = Duration::from_secs(30);
const ABSENCE_KEPT: Duration = Duration::from_secs(5);

/// A socket of the calling thread's namespace. It is connected, so that the kernel drops what others send and tells if nobody
/// listens.
pub(super) fn bound_udp(
    local: SocketAddr,
    server: SocketAddr,
    interface: Option<&str>,
) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(local)?;
    socket.connect(scoped(server, interface, &socket)?)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// `server` on the interface of that name or number in the namespace of `socket`.
fn scoped(mut server: SocketAddr, interface: Option<&str>, socket: impl AsFd) -> io::Result<SocketAddr> {
    if let (SocketAddr::V6(server), Some(interface)) = (&mut server, interface) {
        let number = interface.parse().or_else(|_| netdevice::name_to_index(socket, interface))?;
        server.set_scope_id(number);
    }
    Ok(server)
}

/// The name servers of one configuration, each with its own answers.
pub(super) struct Servers {
    pub configuration: Arc<Configuration>,
    each: Vec<Server>,
}

struct Server {
    address: IpAddr,
    /// Whether it can be the guest itself.
    own: bool,
    resolver: Resolver<Provider>,
}

impl Servers {
    pub fn new(configuration: Arc<Configuration>, provider: &Provider) -> Result<Self, NetError> {
        let mut options = ResolverOpts::default();
        options.timeout = configuration.timeout;
        // The rounds are ours, so that servers are asked in their order.
        options.attempts = 0;
        options.edns0 = configuration.edns0;
        options.cache_size = ANSWERS;
        options.positive_max_ttl = Some(KEPT);
        options.negative_max_ttl = Some(ABSENCE_KEPT);
        options.use_hosts_file = ResolveHosts::Never;
        options.max_active_requests = 2 * IN_FLIGHT;
        // Any other port might be one that the guest is about to listen on.
        options.os_port_selection = true;
        let server = |server: &NameServer| {
            let address = server.ip;
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![NameServerConfig::udp_and_tcp(address)]);
            let own = address.to_canonical().is_loopback() && !provider.namespace.is_node();
            let provider = Provider { interface: server.interface.clone(), ..provider.clone() };
            let resolver = Resolver::builder_with_config(config, provider).with_options(options.clone());
            Ok(Server { address, own, resolver: resolver.build()? })
        };
        let each = configuration.servers.iter().map(server).collect::<Result<_, NetError>>()?;
        Ok(Self { configuration, each })
    }

    /// Tries `name` in the search domains.
    pub async fn search(
        &self,
        name: &str,
        rooted: bool,
        may_ask: &(dyn Fn(IpAddr) -> bool + Sync),
    ) -> Result<Found, NameError> {
        let servers: Vec<&Server> = self.each.iter().filter(|server| may_ask(server.address)).collect();
        if servers.is_empty() {
            return Err(NameError::Permanent(ResponseCode::Refused));
        }
        let mut failure = NameError::Invalid;
        for candidate in self.configuration.candidates(name, rooted) {
            let Ok(mut full) = Name::from_ascii(&candidate) else { continue };
            full.set_fqdn(true);
            match self.both(&servers, &full).await {
                Ok(found) => return Ok(found),
                // Nobody will answer for the other domains either.
                Err(NameError::Temporary(None)) => return Err(NameError::Temporary(None)),
                Err(error) => failure = failure.graver(error),
            }
        }
        Err(failure)
    }

    /// IPv6 and IPv4 at once; what one of them has is enough.
    async fn both(&self, servers: &[&Server], name: &Name) -> Result<Found, NameError> {
        let ask = |kind| self.ask(servers, name, kind);
        match tokio::join!(ask(RecordType::AAAA), ask(RecordType::A)) {
            (Ok(mut v6), Ok(v4)) => {
                v6.addresses.extend(v4.addresses);
                v6.vouched &= v4.vouched;
                Ok(v6)
            }
            (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
            (Err(v6), Err(v4)) => Err(v6.graver(v4)),
        }
    }

    /// One server after the other, and again where one did not answer.
    async fn ask(&self, servers: &[&Server], name: &Name, kind: RecordType) -> Result<Found, NameError> {
        let mut failure = NameError::Temporary(None);
        for _ in 0..self.configuration.attempts {
            let mut silent = false;
            for server in servers {
                let answer = server.resolver.lookup(name.clone(), kind).await;
                let error = match answer {
                    Ok(lookup) => {
                        let addresses: Vec<_> = lookup.answers().iter().filter_map(|one| one.data.ip_addr()).collect();
                        if addresses.is_empty() {
                            return Err(NameError::Unresolvable(ResponseCode::NoError));
                        }
                        return Ok(Found { addresses, vouched: !server.own });
                    }
                    Err(error) => meaning(&error),
                };
                match error {
                    NameError::Unresolvable(_) => return Err(error),
                    NameError::Temporary(None) => silent = true,
                    _ => failure = error,
                }
            }
            if !silent {
                break;
            }
        }
        Err(failure)
    }
}

fn meaning(error: &NetError) -> NameError {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => NameError::Unresolvable(none.response_code),
        NetError::Dns(DnsError::ResponseCode(code @ ResponseCode::ServFail)) => NameError::Temporary(Some(*code)),
        NetError::Dns(DnsError::ResponseCode(code)) => NameError::Permanent(*code),
        _ => NameError::Temporary(None),
    }
}

/// Makes the resolver's sockets in the namespace, and its tasks the guest's.
#[derive(Clone)]
pub(super) struct Provider {
    pub namespace: Arc<Namespace>,
    pub tasks: Tasks,
    /// Of a server with a link-local address.
    pub interface: Option<String>,
}

impl RuntimeProvider for Provider {
    type Handle = Tasks;
    type Timer = TokioTime;
    type Udp = Udp;
    type Tcp = AsyncIoTokioAsStd<TcpStream>;

    fn create_handle(&self) -> Tasks {
        self.tasks.clone()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        local: Option<SocketAddr>,
        patience: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        let open = || {
            let socket = tcp_socket(server, local)?;
            let server = scoped(server, self.interface.as_deref(), &socket)?;
            Ok((socket, server))
        };
        let opened = self.namespace.inside(open).and_then(|opened| opened);
        Box::pin(async move {
            let (socket, server) = opened?;
            let connected = tokio::time::timeout(patience.unwrap_or(Duration::from_secs(5)), socket.connect(server));
            Ok(AsyncIoTokioAsStd(connected.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??))
        })
    }

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> Pin<Box<dyn Send + Future<Output = io::Result<Udp>>>> {
        let open = || bound_udp(local, server, self.interface.as_deref());
        let socket = self.namespace.inside(open).and_then(|opened| opened);
        Box::pin(async move { UdpSocket::from_std(socket?).map(Udp) })
    }
}

/// A connected socket that hears that nobody listens. tokio's alone does not: the kernel reports that as an error without
/// anything to read, and readers are not woken for it.
pub(super) struct Udp(UdpSocket);

#[async_trait::async_trait]
impl DnsUdpSocket for Udp {
    type Time = TokioTime;

    fn poll_recv_from(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        DnsUdpSocket::poll_recv_from(&self.0, context, buffer)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            let ready = self.0.ready(Interest::READABLE | Interest::ERROR).await?;
            if ready.is_error() {
                let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                // Forgets this error, and waits for the next.
                drop(self.0.try_io(Interest::ERROR, nothing));
                if let Some(error) = self.0.take_error()? {
                    return Err(error);
                }
            }
            match self.0.try_recv_from(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    fn poll_send_to(&self, context: &mut Context<'_>, buffer: &[u8], target: SocketAddr) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(context, buffer, target)
    }
}

/// A socket of the calling thread's namespace, to connect to `remote`.
pub(super) fn tcp_socket(remote: SocketAddr, local: Option<SocketAddr>) -> io::Result<TcpSocket> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = local {
        socket.bind(local)?;
    }
    socket.set_nodelay(true)?;
    Ok(socket)
}
