//! What the guest's own files say about names: `/etc/hosts` and `/etc/resolv.conf`, as in hosts(5) and resolv.conf(5).

use crate::view::View;
use rustix::fs::fstat;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes read of a file; what is beyond is not looked at.
const LARGEST: u64 = 1 << 20;
/// Name servers used, as for glibc (MAXNS).
const MOST_SERVERS: usize = 3;
/// Search domains used, as for Kubernetes.
const MOST_SEARCHED: usize = 32;

/// `/etc/hosts`: names in lower case, without a final dot, to addresses in the file's order.
#[derive(Debug, Default)]
pub(crate) struct Hosts(HashMap<String, Vec<IpAddr>>);

impl Hosts {
    pub fn parse(text: &str) -> Self {
        let mut hosts = HashMap::<String, Vec<IpAddr>>::new();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let Some(Ok(address)) = words.next().map(str::parse) else { continue };
            for name in words {
                let known = hosts.entry(name.trim_end_matches('.').to_ascii_lowercase()).or_default();
                if !known.contains(&address) {
                    known.push(address);
                }
            }
        }
        Self(hosts)
    }

    /// `name` is in lower case, without a final dot.
    pub fn find(&self, name: &str) -> Option<&[IpAddr]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

/// Who is asked for names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameServer {
    pub ip: IpAddr,
    /// What a link-local address needs, behind a percent sign: the name or number of the interface (RFC 4007, section 11).
    pub interface: Option<String>,
}

impl NameServer {
    fn parse(word: &str) -> Option<Self> {
        let (ip, interface) = match word.split_once('%') {
            Some((ip, interface)) => (IpAddr::V6(ip.parse().ok()?), Some(interface.to_owned())),
            None => (word.parse().ok()?, None),
        };
        Some(Self { ip, interface })
    }
}

/// `/etc/resolv.conf`. Defaults and bounds are glibc's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub servers: Vec<NameServer>,
    /// Domains that names are tried in, without a final dot.
    pub search: Vec<String>,
    /// Dots from which on a name is tried as it is before it is tried in `search`.
    pub ndots: usize,
    /// For one answer of one server.
    pub timeout: Duration,
    /// Rounds over all servers.
    pub attempts: usize,
    pub edns0: bool,
}

impl Configuration {
    /// What is not understood is left out, as by glibc; no text is a resolver on the guest's own loopback.
    pub fn parse(text: &str) -> Self {
        let mut read = Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            edns0: false,
        };
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => read.servers.extend(words.next().and_then(NameServer::parse)),
                Some("domain") => read.search = words.take(1).filter_map(domain).collect(),
                Some("search") => read.search = words.filter_map(domain).take(MOST_SEARCHED).collect(),
                Some("options") => words.for_each(|word| read.option(word)),
                _ => {}
            }
        }
        read.servers.truncate(MOST_SERVERS);
        if read.servers.is_empty() {
            read.servers.push(NameServer { ip: Ipv4Addr::LOCALHOST.into(), interface: None });
        }
        read
    }

    fn option(&mut self, word: &str) {
        let (name, value) = word.split_once(':').unwrap_or((word, ""));
        let bounded = |least: u64, most: u64| value.parse::<u64>().ok().map(|value| value.clamp(least, most));
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        match name {
            "ndots" => self.ndots = bounded(0, 15).map_or(self.ndots, size),
            "timeout" => self.timeout = bounded(1, 30).map_or(self.timeout, Duration::from_secs),
            "attempts" => self.attempts = bounded(1, 5).map_or(self.attempts, size),
            "edns0" => self.edns0 = true,
            _ => {}
        }
    }

    /// The full names to ask for, in order, for `name` as the guest wrote it without its final dot.
    pub fn candidates(&self, name: &str, rooted: bool) -> Vec<String> {
        if rooted {
            return vec![name.to_owned()];
        }
        let within = |domain: &String| format!("{name}.{domain}");
        let mut all: Vec<String> = self.search.iter().map(within).filter(|name| name.len() <= 253).collect();
        let place = if name.matches('.').count() >= self.ndots { 0 } else { all.len() };
        all.insert(place, name.to_owned());
        all
    }
}

/// A search domain; the root is none, since the name itself is tried anyway.
fn domain(word: &str) -> Option<String> {
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    (!word.is_empty()).then_some(word)
}

/// Which version of a file was read: device, inode, size, and when it was written.
type Version = [u64; 6];

/// A file of the view, read again when it has changed.
pub(crate) struct Watched<T> {
    path: &'static str,
    parse: fn(&str) -> T,
    known: Mutex<Option<(Option<Version>, Arc<T>)>>,
}

impl<T> Watched<T> {
    pub fn new(path: &'static str, parse: fn(&str) -> T) -> Self {
        Self { path, parse, known: Mutex::default() }
    }

    /// What the file says now. One that is not there, or cannot be read, says nothing. Blocks on the file.
    pub fn now(&self, view: Option<&View>) -> Arc<T> {
        let file = view.and_then(|view| view.open(self.path).ok());
        let version = file.as_ref().and_then(version);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, content)) = &*known
            && *of == version
        {
            return content.clone();
        }
        let content = Arc::new((self.parse)(&file.map(text).unwrap_or_default()));
        *known = Some((version, content.clone()));
        content
    }

    /// What was read last.
    pub fn last(&self) -> Option<Arc<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, content)| content.clone())
    }
}

fn version(file: &OwnedFd) -> Option<Version> {
    let status = fstat(file).ok()?;
    let time = [status.st_mtime, status.st_ctime].map(i64::cast_unsigned);
    Some([
        status.st_dev,
        status.st_ino,
        status.st_size.cast_unsigned(),
        time[0],
        time[1],
        status.st_mtime_nsec ^ status.st_ctime_nsec.rotate_left(32),
    ])
}

fn text(file: OwnedFd) -> String {
    let mut bytes = Vec::new();
    match File::from(file).take(LARGEST).read_to_end(&mut bytes) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn hosts_are_read_with_comments_cases_and_several_lines_for_a_name() {
        let hosts = Hosts::parse("# a\n10.0.0.1 Db db.internal. # c\nfd00::1\tdb\nnonsense x\n10.0.0.1 db\n10.0.0.2\n");
        assert_eq!(hosts.find("db"), Some(&[ip("10.0.0.1"), ip("fd00::1")][..]));
        assert_eq!(hosts.find("db.internal"), Some(&[ip("10.0.0.1")][..]));
        assert_eq!(hosts.find("x"), None);
    }

    fn server(text: &str, interface: Option<&str>) -> NameServer {
        NameServer { ip: ip(text), interface: interface.map(str::to_owned) }
    }

    #[test]
    fn the_configuration_has_glibcs_defaults_and_bounds() {
        let read = Configuration::parse("");
        assert_eq!((read.servers, read.ndots, read.attempts), (vec![server("127.0.0.1", None)], 1, 2));
        assert_eq!(read.timeout, Duration::from_secs(5));
        let read = Configuration::parse(
            "nameserver 10.0.0.10\nnameserver bad\nnameserver 10.0.0.1%eth0\nnameserver fe80::a%eth0 # x\ndomain old\n\
             search A.svc.cluster.local svc.cluster.local. .\noptions ndots:5 timeout:99 attempts:0 edns0 rotate ndots:x\n",
        );
        assert_eq!(read.servers, [server("10.0.0.10", None), server("fe80::a", Some("eth0"))]);
        assert_eq!(read.search, ["a.svc.cluster.local", "svc.cluster.local"]);
        assert_eq!((read.ndots, read.timeout, read.attempts, read.edns0), (5, Duration::from_secs(30), 1, true));
    }

    #[test]
    fn names_with_enough_dots_are_tried_as_they_are_first() {
        let read = Configuration::parse("search b.c\noptions ndots:2");
        assert_eq!(read.candidates("a", false), ["a.b.c", "a"]);
        assert_eq!(read.candidates("a.d.e", false), ["a.d.e", "a.d.e.b.c"]);
        assert_eq!(read.candidates("a", true), ["a"]);
    }
}
