//! Names to addresses, inside a guest's namespace, by its own `/etc/hosts` and `/etc/resolv.conf`.
//!
//! The rules are glibc's: hosts before DNS; one name server after the other, in their order; search domains and `ndots`; a
//! name that does not exist in one domain is tried in the next, a server that does not answer ends the search. Queries go out
//! over UDP, and over TCP where the answer was cut. `localhost` and what is below it is the loopback device, and never asked
//! for (RFC 6761). Addresses that can be reached come first, among them IPv6 (RFC 6724, rule 1 and the default precedence; the
//! other rules need source addresses), otherwise the order is the answer's.
//!
//! Answers are kept for as long as they say, at most [`KEPT`]; that a name does not exist at most [`ABSENCE_KEPT`]. glibc keeps
//! nothing, but a guest of Kubernetes asks for eight names to reach one.
//!
//! A guest can write its own files and answer on its own loopback device. So what it learns that way is for itself: only what
//! a name server elsewhere said can open an address to it (see [`Found::vouched`]).

use super::Namespace;
use super::surroundings::{Configuration, Hosts, Watched};
use super::tasks::Tasks;
use crate::view::View;
use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::iocompat::AsyncIoTokioAsStd;
use hickory_resolver::net::runtime::{DnsUdpSocket, RuntimeProvider, TokioTime};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// Lookups of one guest in flight; more wait.
const IN_FLIGHT: usize = 64;
/// Lookups of one guest in flight and waiting; more fail.
const MOST_LOOKUPS: usize = 1024;
/// Addresses given for one name.
const MOST_ADDRESSES: usize = 256;
/// Answers kept of one server, and for how long at most.
const ANSWERS: u64 = 64;
const KEPT: Duration = Duration::from_secs(30);
const ABSENCE_KEPT: Duration = Duration::from_secs(5);
/// The longest name without its final dot, and the longest label (RFC 1035).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Why a name has no addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NameError {
    /// It is neither a name nor an address.
    Invalid,
    /// It does not exist, or has no address.
    Unresolvable(ResponseCode),
    /// A server failed; `None`: none answered.
    Temporary(Option<ResponseCode>),
    /// The servers refuse to answer.
    Permanent(ResponseCode),
}

impl NameError {
    /// Which of two failures, of IPv4 and IPv6 or of several domains, says more about what to do.
    fn graver(self, other: Self) -> Self {
        let rank = |error: &Self| match error {
            Self::Invalid => 0,
            Self::Unresolvable(ResponseCode::NXDomain) => 1,
            Self::Unresolvable(_) => 2,
            Self::Permanent(_) => 3,
            Self::Temporary(Some(_)) => 4,
            Self::Temporary(None) => 5,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => formatter.write_str("neither a host name nor an address"),
            Self::Unresolvable(code) => write!(formatter, "no address is known ({code})"),
            Self::Temporary(Some(code)) | Self::Permanent(code) => write!(formatter, "the name server failed ({code})"),
            Self::Temporary(None) => formatter.write_str("no name server answered"),
        }
    }
}

/// What a guest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Address(IpAddr),
    /// `localhost`, or a name below it.
    Loopback(String),
    /// In lower case and ASCII, without a final dot; `rooted`: there was one.
    Name {
        name: String,
        rooted: bool,
    },
}

impl Asked {
    /// Reads an address, also in brackets, or a name, which may be international.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(address) = bracketed {
            return address.parse::<Ipv6Addr>().map(|ip| Self::Address(ip.into())).map_err(|_| NameError::Invalid);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if text.len() > 4 * LONGEST_NAME {
            return Err(NameError::Invalid);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| NameError::Invalid)?
        };
        let (name, rooted) = match ascii.strip_suffix('.') {
            Some(name) => (name, true),
            None => (ascii.as_str(), false),
        };
        let label = |label: &str| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // What ends in a number is an address in one of its older notations, which are not accepted.
        let last = name.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        if name.len() > LONGEST_NAME || numeric || !name.split('.').all(label) {
            return Err(NameError::Invalid);
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return Ok(Self::Loopback(name.to_owned()));
        }
        Ok(Self::Name { name: name.to_owned(), rooted })
    }

    /// What policies judge; `None` for an address.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Address(_) => None,
            Self::Loopback(name) | Self::Name { name, .. } => Some(name),
        }
    }

    /// The addresses, where nobody has to be asked.
    pub fn known(&self) -> Option<Vec<IpAddr>> {
        match self {
            Self::Address(ip) => Some(vec![*ip]),
            Self::Loopback(_) => Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
            Self::Name { .. } => None,
        }
    }
}

/// Addresses of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub addresses: Vec<IpAddr>,
    /// Whether a name server said so that is not the guest itself.
    pub vouched: bool,
}

/// The resolver of one guest. Nothing is read or opened before the first lookup.
pub(crate) struct Names {
    namespace: Arc<Namespace>,
    view: Option<Arc<View>>,
    tasks: Tasks,
    hosts: Arc<Watched<Hosts>>,
    configuration: Arc<Watched<Configuration>>,
    /// Whether the configuration stays as it was when the guest was made.
    fixed: bool,
    servers: Mutex<Option<Arc<Servers>>>,
    places: Semaphore,
    turns: Semaphore,
}

impl Names {
    /// `fixed`: `/etc/resolv.conf` is read here, and never again.
    pub fn new(namespace: Arc<Namespace>, view: Option<Arc<View>>, tasks: Tasks, fixed: bool) -> Self {
        let configuration = Watched::new("/etc/resolv.conf", Configuration::parse);
        if fixed {
            configuration.now(view.as_deref());
        }
        Self {
            namespace,
            view,
            tasks,
            hosts: Arc::new(Watched::new("/etc/hosts", Hosts::parse)),
            configuration: Arc::new(configuration),
            fixed,
            servers: Mutex::default(),
            places: Semaphore::new(MOST_LOOKUPS),
            turns: Semaphore::new(IN_FLIGHT),
        }
    }

    /// The addresses of what the guest asks for, at least one; only servers that `may_ask` accepts are asked.
    pub async fn resolve(&self, asked: &Asked, may_ask: &(dyn Fn(IpAddr) -> bool + Sync)) -> Result<Found, NameError> {
        if let Some(addresses) = asked.known() {
            return Ok(Found { addresses, vouched: false });
        }
        let Asked::Name { name, rooted } = asked else { return Err(NameError::Invalid) };
        let _place = self.places.try_acquire().map_err(|_| NameError::Temporary(None))?;
        let _turn = self.turns.acquire().await.map_err(|_| NameError::Temporary(None))?;
        let (hosts, configuration) = self.surroundings().await.ok_or(NameError::Temporary(None))?;
        if let Some(addresses) = hosts.find(name) {
            return Ok(Found { addresses: self.in_order(addresses.to_vec()), vouched: false });
        }
        let servers = self.servers(&configuration).ok_or(NameError::Temporary(None))?;
        let mut found = servers.search(name, *rooted, may_ask).await?;
        found.addresses = self.in_order(found.addresses);
        Ok(found)
    }

    /// Forgets the servers, which ends what is left of their connections.
    pub fn close(&self) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Both files as they are now.
    async fn surroundings(&self) -> Option<(Arc<Hosts>, Arc<Configuration>)> {
        let (hosts, configuration) = (self.hosts.clone(), self.configuration.clone());
        let Some(view) = self.view.clone() else { return Some((hosts.now(None), configuration.now(None))) };
        let fixed = if self.fixed { configuration.last() } else { None };
        let read = move || {
            let view = Some(&*view);
            (hosts.now(view), fixed.unwrap_or_else(|| configuration.now(view)))
        };
        self.tasks.blocking(read).await
    }

    /// The servers of `configuration`, with what is known from them.
    fn servers(&self, configuration: &Arc<Configuration>) -> Option<Arc<Servers>> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(servers) = &*servers
            && Arc::ptr_eq(&servers.configuration, configuration)
        {
            return Some(servers.clone());
        }
        let provider = Provider { namespace: self.namespace.clone(), tasks: self.tasks.clone() };
        let made = Arc::new(Servers::new(configuration.clone(), &provider).ok()?);
        *servers = Some(made.clone());
        Some(made)
    }

    /// Each once; first what can be reached, among it IPv6.
    fn in_order(&self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let mut seen = std::collections::HashSet::new();
        addresses.retain(|address| seen.insert(*address));
        addresses.truncate(MOST_ADDRESSES);
        let first = |v6: bool| addresses.iter().find(|address| address.is_ipv6() == v6).copied();
        if let (Some(v4), Some(v6)) = (first(false), first(true)) {
            let reachable = [v4, v6].map(|address| self.has_route(address));
            addresses.sort_by_key(|address| (!reachable[usize::from(address.is_ipv6())], address.is_ipv4()));
        }
        addresses
    }

    /// Whether there is a way to `address`; nothing is sent.
    fn has_route(&self, address: IpAddr) -> bool {
        let look = || bound_udp(any_of(address), SocketAddr::new(address, 53));
        matches!(self.namespace.inside(look), Ok(Ok(_)))
    }
}

/// Any port of any address, in the family of `address`.
fn any_of(address: IpAddr) -> SocketAddr {
    match address {
        IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
        IpAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
    }
}

/// A socket of the calling thread's namespace. It is connected, so that the kernel drops what others send and tells if nobody
/// listens.
fn bound_udp(local: SocketAddr, server: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = std::net::UdpSocket::bind(local)?;
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The name servers of one configuration, each with its own answers.
struct Servers {
    configuration: Arc<Configuration>,
    each: Vec<Server>,
}

struct Server {
    address: IpAddr,
    /// Whether it can be the guest itself.
    own: bool,
    resolver: Resolver<Provider>,
}

impl Servers {
    fn new(configuration: Arc<Configuration>, provider: &Provider) -> Result<Self, NetError> {
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
        let server = |&address: &IpAddr| {
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![NameServerConfig::udp_and_tcp(address)]);
            let resolver = Resolver::builder_with_config(config, provider.clone()).with_options(options.clone());
            let own = address.to_canonical().is_loopback() && !provider.namespace.is_node();
            Ok(Server { address, own, resolver: resolver.build()? })
        };
        let each = configuration.servers.iter().map(server).collect::<Result<_, NetError>>()?;
        Ok(Self { configuration, each })
    }

    /// Tries `name` in the search domains.
    async fn search(
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
struct Provider {
    namespace: Arc<Namespace>,
    tasks: Tasks,
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
        let socket = self.namespace.inside(|| tcp_socket(server, local)).and_then(|made| made);
        Box::pin(async move {
            let connected = tokio::time::timeout(patience.unwrap_or(Duration::from_secs(5)), socket?.connect(server));
            Ok(AsyncIoTokioAsStd(connected.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??))
        })
    }

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> Pin<Box<dyn Send + Future<Output = io::Result<Udp>>>> {
        let socket = self.namespace.inside(|| bound_udp(local, server)).and_then(|made| made);
        Box::pin(async move { UdpSocket::from_std(socket?).map(Udp) })
    }
}

/// A connected socket that hears that nobody listens. tokio's alone does not: the kernel reports that as an error without
/// anything to read, and readers are not woken for it.
struct Udp(UdpSocket);

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

#[cfg(test)]
mod tests {
    use super::super::testing::{Answer, NameServer, RESOLV_CONF, SERVER, World, addresses};
    use super::*;

    async fn resolve(world: &World, name: &str) -> Result<Vec<String>, NameError> {
        let found = world.network.resolve(&Asked::parse(name)?).await?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    fn absent() -> Answer {
        Answer::Code(3)
    }

    #[test]
    fn addresses_pass_and_what_is_no_name_is_refused() {
        for (text, ip) in [("10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("[fd00::1]", "fd00::1")] {
            assert_eq!(Asked::parse(text), Ok(Asked::Address(ip.parse().expect("ip"))), "{text}");
        }
        let long = format!("{}.x", vec!["a".repeat(60); 5].join("."));
        let label = "a".repeat(64);
        for wrong in
            ["", ".", "a b", "a..b", "a.1", "127.1", "0x7f.0x1", "10.0.0.256", "[1.2.3.4]", "a/b", "é\0", &long, &label]
        {
            assert_eq!(Asked::parse(wrong), Err(NameError::Invalid), "{wrong:?}");
        }
        assert_eq!(
            Asked::parse("Bücher.Example.").map(|asked| asked.name().map(str::to_owned)),
            Ok(Some("xn--bcher-kva.example".into()))
        );
        assert_eq!(Asked::parse("x_y.Test"), Ok(Asked::Name { name: "x_y.test".into(), rooted: false }));
        assert_eq!(Asked::parse("a.LocalHost."), Ok(Asked::Loopback("a.localhost".into())));
    }

    #[tokio::test]
    async fn search_domains_and_ndots_are_as_for_glibc() {
        let world = World::open();
        let server = NameServer::start(&world, SERVER, |name, _| match name {
            "web.b.test" => addresses(&["192.0.2.1"]),
            "x.y.z" => addresses(&["192.0.2.2", "2001:db8::2"]),
            _ => absent(),
        });
        assert_eq!(resolve(&world, "web").await, Ok(vec!["192.0.2.1".to_owned()]));
        assert_eq!(server.asked(), ["web.a.test A", "web.a.test AAAA", "web.b.test A", "web.b.test AAAA"]);
        assert_eq!(resolve(&world, "x.y.z").await, Ok(vec!["192.0.2.2".to_owned(), "2001:db8::2".to_owned()]));
        assert_eq!(server.asked(), ["x.y.z A", "x.y.z AAAA"]);
        assert_eq!(resolve(&world, "no.").await, Err(NameError::Unresolvable(ResponseCode::NXDomain)));
        assert_eq!(server.asked(), ["no A", "no AAAA"]);
        assert_eq!(resolve(&world, "x.y.z").await, Ok(vec!["192.0.2.2".to_owned(), "2001:db8::2".to_owned()]));
        assert_eq!(server.asked(), [] as [&str; 0], "the answer was not kept");
    }

    #[tokio::test]
    async fn cut_answers_are_fetched_over_tcp() {
        let world = World::open();
        let many: Vec<IpAddr> = (1..200).map(|last| Ipv4Addr::new(192, 0, 2, last).into()).collect();
        let server =
            NameServer::start(&world, SERVER, move |_, v6| if v6 { absent() } else { Answer::Long(many.clone()) });
        assert_eq!(resolve(&world, "many.test.").await.map(|all| all.len()), Ok(199));
        assert!(server.asked().contains(&"many.test A TCP".to_owned()));
    }

    #[tokio::test]
    async fn failures_are_told_apart() {
        let world = World::open();
        let server = NameServer::start(&world, SERVER, |name, v6| match name {
            "fails.test" => Answer::Code(2),
            "refused.test" => Answer::Code(5),
            "empty.test" => addresses(&[]),
            "half.test" if v6 => Answer::Code(2),
            "half.test" => addresses(&["192.0.2.9"]),
            _ => Answer::Nothing,
        });
        assert_eq!(resolve(&world, "fails.test.").await, Err(NameError::Temporary(Some(ResponseCode::ServFail))));
        assert_eq!(resolve(&world, "refused.test.").await, Err(NameError::Permanent(ResponseCode::Refused)));
        assert_eq!(resolve(&world, "empty.test.").await, Err(NameError::Unresolvable(ResponseCode::NoError)));
        assert_eq!(resolve(&world, "half.test.").await, Ok(vec!["192.0.2.9".to_owned()]));
        let started = std::time::Instant::now();
        server.asked();
        assert_eq!(resolve(&world, "silent").await, Err(NameError::Temporary(None)));
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        assert!(!server.asked().iter().any(|asked| asked.starts_with("silent.b.test")));
    }

    #[tokio::test]
    async fn the_next_server_is_asked_where_one_fails() {
        let world = World::open();
        world.write("etc/resolv.conf", "nameserver 10.53.0.1\nnameserver 127.0.0.5\noptions timeout:1\n");
        let _fails = NameServer::start(&world, SERVER, |_, _| Answer::Code(2));
        let _works = NameServer::start(&world, "127.0.0.5", |_, _| addresses(&["192.0.2.3", "2001:db8::3"]));
        // There is a way to IPv4 only.
        assert_eq!(resolve(&world, "x.test").await, Ok(vec!["192.0.2.3".to_owned(), "2001:db8::3".to_owned()]));
    }

    #[tokio::test]
    async fn hosts_come_first_and_are_read_again_when_they_change() {
        let world = World::open();
        world.write("etc/hosts", "192.0.2.7 Pod pod.test\n::1 six four\n127.0.0.1 six four\n");
        assert_eq!(resolve(&world, "pod").await, Ok(vec!["192.0.2.7".to_owned()]));
        assert_eq!(resolve(&world, "POD.test.").await, Ok(vec!["192.0.2.7".to_owned()]));
        assert_eq!(resolve(&world, "six").await, Ok(vec!["::1".to_owned(), "127.0.0.1".to_owned()]));
        world.write("etc/hosts", "192.0.2.8 pod # new\n");
        assert_eq!(resolve(&world, "pod").await, Ok(vec!["192.0.2.8".to_owned()]));
    }

    #[tokio::test]
    async fn localhost_is_never_asked_for() {
        let world = World::open();
        let server = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1"]));
        for name in ["localhost", "Localhost.", "a.localhost"] {
            assert_eq!(resolve(&world, name).await, Ok(vec!["127.0.0.1".to_owned(), "::1".to_owned()]));
        }
        assert_eq!(server.asked(), [] as [&str; 0]);
    }

    #[tokio::test]
    async fn without_a_configuration_the_guests_own_loopback_is_asked_and_never_the_nodes() {
        let node = tokio::net::UdpSocket::bind("127.0.0.1:53").await;
        let world = World::new(r#"{"name": "p"}"#, &[], &[]);
        // Nobody listens there yet, which the kernel tells at once.
        let started = std::time::Instant::now();
        assert_eq!(resolve(&world, "x.test").await, Err(NameError::Temporary(None)));
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        let server = NameServer::start(&world, "127.0.0.1", |_, _| addresses(&["192.0.2.1"]));
        assert_eq!(resolve(&world, "x.test").await, Ok(vec!["192.0.2.1".to_owned()]));
        assert!(!server.asked().is_empty());
        if let Ok(node) = node {
            assert!(node.try_recv(&mut [0; 512]).is_err(), "the node was asked");
        }
    }

    #[tokio::test]
    async fn names_open_addresses_only_by_servers_that_the_guest_cannot_play() {
        let policy = r#"{"name": "p", "allow": ["good.test:443"]}"#;
        let files = [("etc/resolv.conf", RESOLV_CONF), ("etc/hosts", "192.0.2.66 good.test.hosts\n")];
        let world = World::new(policy, &[], &files);
        let address = |text: &str| SocketAddr::new(text.parse().expect("ip"), 443);
        let server = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1"]));
        let _own = NameServer::start(&world, "127.0.0.1", |_, _| addresses(&["192.0.2.2"]));
        assert!(!world.network.may_reach("test", address("192.0.2.1")));
        // The guest's own files cannot change who is asked, nor what is open.
        world.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
        assert_eq!(resolve(&world, "good.test").await, Ok(vec!["192.0.2.1".to_owned()]));
        assert!(!server.asked().is_empty());
        assert!(world.network.may_reach("test", address("192.0.2.1")));
        world.write("etc/hosts", "192.0.2.3 good.test\n");
        assert_eq!(resolve(&world, "good.test").await, Ok(vec!["192.0.2.3".to_owned()]));
        assert!(!world.network.may_reach("test", address("192.0.2.3")));

        let world = World::new(policy, &[], &[]);
        let _own = NameServer::start(&world, "127.0.0.1", |_, _| addresses(&["192.0.2.2"]));
        assert_eq!(resolve(&world, "good.test").await, Ok(vec!["192.0.2.2".to_owned()]));
        assert!(!world.network.may_reach("test", address("192.0.2.2")));
    }

    #[tokio::test]
    async fn a_denied_name_server_is_not_asked() {
        let policy = r#"{"name": "p", "deny": ["10.53.0.0/16"]}"#;
        let world = World::new(policy, &[], &[("etc/resolv.conf", RESOLV_CONF)]);
        let server = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1"]));
        assert_eq!(resolve(&world, "x.test.").await, Err(NameError::Permanent(ResponseCode::Refused)));
        assert_eq!((server.asked().len(), world.network.refused()), (0, 1));
    }

    #[tokio::test]
    async fn nothing_is_resolved_after_the_end() {
        let world = World::open();
        let _server = NameServer::start(&world, SERVER, |_, _| Answer::Nothing);
        let network = world.network.clone();
        let waiting = tokio::spawn(network.tasks.until_end({
            let network = network.clone();
            async move { network.resolve(&Asked::parse("x.test.").expect("a name")).await }
        }));
        tokio::time::sleep(Duration::from_millis(100)).await;
        network.close();
        assert_eq!(
            tokio::time::timeout(Duration::from_millis(100), waiting).await.expect("it ended").expect("no panic"),
            None
        );
        assert_eq!(resolve(&world, "y.test.").await, Err(NameError::Temporary(None)));
    }
}
