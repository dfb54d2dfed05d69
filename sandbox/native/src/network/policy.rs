//! What guests may reach: an operator's ceiling on outgoing traffic.

use crate::failure::{Failure, Result, shortened};
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Most rules of one list.
const MOST_RULES: usize = 10_000;

/// `atoll_policy_new`'s request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    name: String,
    allow: Option<Vec<String>>,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    max_sockets: usize,
}

/// A policy. Immutable.
pub(crate) struct Policy {
    pub name: String,
    allow: Option<Vec<Rule>>,
    deny: Vec<Rule>,
    /// Open sockets of one guest.
    pub max_sockets: usize,
}

/// One rule, as the header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    target: Target,
    ports: RangeInclusive<u16>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Anything,
    /// In lower case, without a final dot.
    Name(String),
    /// Every name below this one.
    Below(String),
    Block(IpNet),
}

/// Why something was refused, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// By this rule.
    Denied(String),
    /// No rule allows it.
    NotAllowed,
}

/// Ports under which the addresses of a resolved name may be reached.
pub(crate) type Ports = Vec<RangeInclusive<u16>>;

const ALL_PORTS: RangeInclusive<u16> = 0..=u16::MAX;

impl Policy {
    /// No ceiling at all.
    pub fn open() -> Self {
        Self { name: "none".into(), allow: None, deny: Vec::new(), max_sockets: usize::MAX }
    }

    pub fn new(request: Request) -> Result<Self> {
        let max_sockets = if request.max_sockets == 0 { usize::MAX } else { request.max_sockets };
        Ok(Self {
            allow: request.allow.map(|texts| rules("allow", &texts)).transpose()?,
            deny: rules("deny", &request.deny)?,
            name: request.name,
            max_sockets,
        })
    }

    /// Whether `name` may be resolved, or connected to at `port`.
    pub fn check_name(&self, name: &str, port: Option<u16>) -> std::result::Result<(), Reason> {
        let name = normal(name);
        let covers = |rule: &Rule| port.map_or(rule.ports == ALL_PORTS, |port| rule.ports.contains(&port));
        if let Some(rule) = self.deny.iter().find(|rule| rule.names(&name) && covers(rule)) {
            return Err(Reason::Denied(rule.text.clone()));
        }
        let Some(allow) = &self.allow else { return Ok(()) };
        // A name that only leads to allowed addresses is decided by those.
        let possible = |rule: &Rule| match rule.target {
            Target::Block(_) => true,
            _ => rule.names(&name) && port.is_none_or(|port| rule.ports.contains(&port)),
        };
        if allow.iter().any(possible) { Ok(()) } else { Err(Reason::NotAllowed) }
    }

    /// Whether names open addresses.
    pub fn has_names(&self) -> bool {
        self.allow.iter().flatten().any(|rule| matches!(rule.target, Target::Name(_) | Target::Below(_)))
    }

    /// The ports that rules for `name` open at its addresses; empty where no rule names it.
    pub fn opened_by(&self, name: &str) -> Ports {
        let name = normal(name);
        let named = |rule: &&Rule| !matches!(rule.target, Target::Anything) && rule.names(&name);
        self.allow.iter().flatten().filter(named).map(|rule| rule.ports.clone()).collect()
    }

    /// Whether `address` may be reached; `opened` are the ports that names of it opened.
    pub fn check_address(
        &self,
        address: SocketAddr,
        opened: &[RangeInclusive<u16>],
    ) -> std::result::Result<(), Reason> {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        let matches = |rule: &&Rule| rule.ports.contains(&port) && rule.holds(ip);
        if let Some(rule) = self.deny.iter().find(matches) {
            return Err(Reason::Denied(rule.text.clone()));
        }
        match &self.allow {
            None => Ok(()),
            Some(allow) if allow.iter().any(|rule| matches(&rule)) => Ok(()),
            Some(_) if opened.iter().any(|ports| ports.contains(&port)) => Ok(()),
            Some(_) => Err(Reason::NotAllowed),
        }
    }
}

impl Rule {
    /// `name` is normal.
    fn names(&self, name: &str) -> bool {
        match &self.target {
            Target::Anything => true,
            Target::Name(own) => own == name,
            Target::Below(own) => name.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.')),
            Target::Block(_) => false,
        }
    }

    fn holds(&self, ip: IpAddr) -> bool {
        match &self.target {
            Target::Anything => true,
            Target::Block(block) => block.contains(&ip) || translated(ip).is_some_and(|ip| block.contains(&ip)),
            Target::Name(_) | Target::Below(_) => false,
        }
    }
}

/// The IPv4 address that a NAT64 gateway would turn `ip` into: RFC 6052's well-known prefix.
fn translated(ip: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(ip) = ip else { return None };
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = ip.segments() else { return None };
    let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
    Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
}

fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn rules(list: &str, texts: &[String]) -> Result<Vec<Rule>> {
    if texts.len() > MOST_RULES {
        return Err(Failure::invalid(format!("{list} has {} rules, at most {MOST_RULES} are accepted", texts.len())));
    }
    texts
        .iter()
        .map(|text| {
            parse(text).map_err(|problem| {
                Failure::invalid(format!(
                    "the {list} rule {:?} is not acceptable: {problem}; expected a host name, *.name, an address or a CIDR, \
                     each with or without a port or range of ports, as in \"*.example.com:443\", \"10.0.0.0/8\" or \
                     \"[2001:db8::/32]:8000-8100\"",
                    shortened(text, 200)
                ))
            })
        })
        .collect()
}

fn parse(text: &str) -> std::result::Result<Rule, String> {
    let (target, ports) = split(text)?;
    let ports = match ports {
        None => ALL_PORTS,
        Some(ports) => {
            let port = |text: &str| u16::from_str(text).map_err(|_| format!("{:?} is no port", shortened(text, 50)));
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            let (first, last) = (port(first)?, port(last)?);
            if first > last {
                return Err(format!("the range of ports {first}-{last} is empty"));
            }
            first..=last
        }
    };
    Ok(Rule { target: parse_target(target)?, ports, text: text.to_owned() })
}

/// Target and ports. An IPv6 address has colons of its own, so that ports need brackets around it.
fn split(text: &str) -> std::result::Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (target, after) = rest.split_once(']').ok_or("the bracket is not closed")?;
        return match after.strip_prefix(':') {
            Some(ports) => Ok((target, Some(ports))),
            None if after.is_empty() => Ok((target, None)),
            None => Err(format!("{:?} follows the bracket", shortened(after, 50))),
        };
    }
    match text.split_once(':') {
        Some((target, ports)) if !ports.contains(':') => Ok((target, Some(ports))),
        _ => Ok((text, None)),
    }
}

fn parse_target(text: &str) -> std::result::Result<Target, String> {
    if text == "*" {
        return Ok(Target::Anything);
    }
    if let Ok(block) = IpNet::from_str(text) {
        return Ok(Target::Block(block.trunc()));
    }
    if let Ok(ip) = IpAddr::from_str(text) {
        return Ok(Target::Block(IpNet::from(ip)));
    }
    let (below, name) = match text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let name = normal(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    // A name of digits and dots is a mistyped address, and no top-level domain is a number.
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if name.len() > 253 || numeric || !name.split('.').all(label) {
        return Err(format!("{:?} is neither a host name nor an address", shortened(text, 100)));
    }
    Ok(if below { Target::Below(name) } else { Target::Name(name) })
}

/// `ip` as the kernel takes it: the unspecified address means the loopback device to connect(2).
pub(crate) fn meant(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: Option<&[&str]>, deny: &[&str]) -> Policy {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Policy::new(Request { name: "p".into(), allow: allow.map(texts), deny: texts(deny), max_sockets: 0 })
            .unwrap_or_else(|failure| panic!("{}", failure.text))
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn deny_wins_over_allow_and_holds_for_every_form_of_an_address() {
        let policy = policy(Some(&["*"]), &["169.254.169.254", "10.0.0.0/8:25"]);
        for refused in ["169.254.169.254:80", "[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "10.1.2.3:25"] {
            assert!(matches!(policy.check_address(address(refused), &[]), Err(Reason::Denied(_))), "{refused}");
        }
        assert_eq!(policy.check_address(address("10.1.2.3:26"), &[]), Ok(()));
    }

    #[test]
    fn without_allow_everything_else_is_allowed_and_with_it_nothing_else() {
        assert_eq!(policy(None, &[]).check_address(address("1.2.3.4:5"), &[]), Ok(()));
        let closed = policy(Some(&["10.0.0.0/8:5432", "[2001:db8::/32]:443"]), &[]);
        assert_eq!(closed.check_address(address("10.9.9.9:5432"), &[]), Ok(()));
        assert_eq!(closed.check_address(address("[2001:db8::1]:443"), &[]), Ok(()));
        assert_eq!(closed.check_address(address("10.9.9.9:80"), &[]), Err(Reason::NotAllowed));
        assert_eq!(policy(Some(&[]), &[]).check_name("a.example", None), Err(Reason::NotAllowed));
    }

    #[test]
    fn names_open_their_addresses_at_their_ports() {
        let policy = policy(Some(&["*.example.com:443", "db.internal:5000-5001"]), &["bad.example.com"]);
        assert_eq!(policy.check_name("WWW.Example.com.", Some(443)), Ok(()));
        assert_eq!(policy.check_name("www.example.com", Some(80)), Err(Reason::NotAllowed));
        assert_eq!(policy.check_name("example.com", None), Err(Reason::NotAllowed));
        assert_eq!(policy.check_name("badexample.com", None), Err(Reason::NotAllowed));
        assert!(matches!(policy.check_name("bad.example.com", None), Err(Reason::Denied(_))));
        let opened = policy.opened_by("db.internal");
        assert_eq!(policy.check_address(address("192.0.2.1:5001"), &opened), Ok(()));
        assert_eq!(policy.check_address(address("192.0.2.1:5002"), &opened), Err(Reason::NotAllowed));
    }

    #[test]
    fn wrong_rules_are_refused_in_words() {
        for wrong in
            ["", "*.", "a b", "10.0.0.0/33", "10.0.0.300", "x:", "x:99999", "x:9-8", "[::1", "[::1]x", "a..b", "-:1:2x"]
        {
            let refused = rules("deny", &[wrong.to_owned()]).expect_err(wrong);
            assert!(refused.text.contains("not acceptable"), "{wrong}: {}", refused.text);
        }
    }

    #[test]
    fn the_unspecified_address_means_loopback() {
        assert_eq!(meant("0.0.0.0".parse().expect("ip")), IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!(meant("::ffff:0.0.0.0".parse().expect("ip")), IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
}
