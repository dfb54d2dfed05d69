//! Names to addresses, inside a guest's namespace, by its own `/etc/hosts` and `/etc/resolv.conf`.
//!
//! The rules are glibc's: hosts before DNS; one name server after the other, in their order; search domains and `ndots`; a
//! name that does not exist in one domain is tried in the next, a server that does not answer ends the search. Queries go out
//! over UDP, and over TCP where the answer was cut. `localhost` and what is below it is the loopback device, and never asked
//! for (RFC 6761). Addresses that can be reached come first, among them IPv6 (RFC 6724, rule 1 and the default precedence; the
//! other rules need source addresses), otherwise the order is the answer's.
//!
//! A guest can write its own files and answer on its own loopback device. So what it learns that way is for itself: only what
//! a name server elsewhere said can open an address to it (see [`Found::vouched`]).

use super::Namespace;
use super::name_servers::{Provider, Servers, bound_udp};
use super::surroundings::{Configuration, Hosts, Watched};
use super::tasks::Tasks;
use crate::view::View;
use hickory_resolver::proto::op::ResponseCode;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Lookups of one guest in flight; more wait.
pub(super) const IN_FLIGHT: usize = 64;
/// Lookups of one guest in flight and waiting; more fail.
const MOST_LOOKUPS: usize = 1024;
/// Addresses given for one name.
const MOST_ADDRESSES: usize = 256;
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
    pub(super) fn graver(self, other: Self) -> Self {
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
        let provider = Provider { namespace: self.namespace.clone(), tasks: self.tasks.clone(), interface: None };
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
        let look = || bound_udp(any_of(address), SocketAddr::new(address, 53), None);
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

#[cfg(test)]
mod tests;
