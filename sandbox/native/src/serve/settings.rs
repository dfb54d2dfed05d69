//! How a server behaves: `atoll_guest_new`'s `http`.

use crate::failure::{Failure, Result, shortened};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The request; the header documents each member, and its default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Settings {
    address: String,
    request_timeout_millis: u64,
    header_timeout_millis: u64,
    idle_timeout_millis: u64,
    stall_timeout_millis: u64,
    /// Of a request's line and fields together, in bytes.
    pub max_header_bytes: u32,
    /// 0: no limit.
    pub max_body_bytes: u64,
    pub max_concurrent: u32,
    pub max_queued: u32,
    queue_timeout_millis: u64,
    pub max_connections: u32,
    /// 1: a fresh instance for each request.
    pub reuse_requests: u32,
    reuse_idle_millis: u64,
    drain_millis: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: ":8080".into(),
            request_timeout_millis: 60_000,
            header_timeout_millis: 10_000,
            idle_timeout_millis: 120_000,
            stall_timeout_millis: 30_000,
            max_header_bytes: 64 << 10,
            max_body_bytes: 0,
            max_concurrent: 100,
            max_queued: 1000,
            queue_timeout_millis: 10_000,
            max_connections: 16_384,
            reuse_requests: 1,
            reuse_idle_millis: 10_000,
            drain_millis: 3_000,
        }
    }
}

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// The port of all addresses, IPv6 and IPv4.
    Everywhere(u16),
    One(SocketAddr),
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Everywhere(port) => write!(formatter, "port {port} of all addresses"),
            Self::One(address) => address.fmt(formatter),
        }
    }
}

/// What every duration is held to: longer than any deployment needs, and safe to add to any clock.
const LONGEST: u64 = 7 * 24 * 3_600_000;
/// hyper's smallest buffer for a head.
const SMALLEST_HEADER: u32 = 8 << 10;
const LARGEST_HEADER: u32 = 1 << 20;

impl Settings {
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_millis)
    }

    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_millis)
    }

    pub fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_millis)
    }

    pub fn stall_timeout(&self) -> Duration {
        Duration::from_millis(self.stall_timeout_millis)
    }

    pub fn queue_timeout(&self) -> Duration {
        Duration::from_millis(self.queue_timeout_millis)
    }

    pub fn reuse_idle(&self) -> Duration {
        Duration::from_millis(self.reuse_idle_millis)
    }

    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_millis)
    }

    /// How many instances may write to one stream at a time.
    pub fn writers(&self) -> usize {
        // Those of requests in progress, and idle ones that held on to a permit.
        (self.max_concurrent as usize).saturating_mul(2)
    }

    /// Checks all ranges, and gives the address.
    pub fn check(&self) -> Result<Address> {
        let durations = [
            ("requestTimeoutMillis", self.request_timeout_millis, 1),
            ("headerTimeoutMillis", self.header_timeout_millis, 1),
            ("idleTimeoutMillis", self.idle_timeout_millis, 1),
            ("stallTimeoutMillis", self.stall_timeout_millis, 1),
            ("queueTimeoutMillis", self.queue_timeout_millis, 0),
            ("reuseIdleMillis", self.reuse_idle_millis, 1),
            ("drainMillis", self.drain_millis, 0),
        ];
        for (name, value, least) in durations {
            in_range(name, value, least, LONGEST)?;
        }
        in_range("maxHeaderBytes", self.max_header_bytes.into(), SMALLEST_HEADER.into(), LARGEST_HEADER.into())?;
        in_range("maxConcurrent", self.max_concurrent.into(), 1, 100_000)?;
        in_range("maxQueued", self.max_queued.into(), 0, 1_000_000)?;
        in_range("maxConnections", self.max_connections.into(), 1, 1_000_000)?;
        in_range("reuseRequests", self.reuse_requests.into(), 1, u32::MAX.into())?;
        address(&self.address)
    }
}

fn in_range(name: &str, value: u64, least: u64, most: u64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Failure::invalid(format!("http.{name} is {value}: {least} to {most} are accepted")))
}

fn address(text: &str) -> Result<Address> {
    let refuse = |why: &str| {
        Err(Failure::invalid(format!(
            "cannot listen on {:?}: {why}; accepted is an address with a port, as in 0.0.0.0:8080 or [::]:8080, or a port of \
             all addresses, as in :8080",
            shortened(text, 100)
        )))
    };
    let Some((host, port)) = text.rsplit_once(':') else { return refuse("it names no port") };
    let Some(port) = port.parse::<u16>().ok().filter(|port| *port > 0) else {
        return refuse("its port is no number from 1 to 65535");
    };
    if host.is_empty() {
        return Ok(Address::Everywhere(port));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare.unwrap_or(host).parse::<IpAddr>() {
        Ok(ip) if ip.is_ipv6() == bare.is_some() => Ok(Address::One(SocketAddr::new(ip, port))),
        _ => refuse("its host is no IP address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_and_wrong_ones_refused_in_words() {
        assert_eq!(address(":80").ok(), Some(Address::Everywhere(80)));
        assert_eq!(address("0.0.0.0:8080").ok(), "0.0.0.0:8080".parse().ok().map(Address::One));
        assert_eq!(address("[::1]:9").ok(), "[::1]:9".parse().ok().map(Address::One));
        for wrong in ["", "8080", ":0", ":65536", "localhost:80", "::1:80", "[0.0.0.0]:80", "1.2.3:80", "0.0.0.0:"] {
            let refused = address(wrong).expect_err(wrong);
            assert!(refused.text.starts_with("cannot listen on"), "{}", refused.text);
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        let settings = Settings { max_concurrent: 0, ..Settings::default() };
        let refused = settings.check().expect_err("0 requests at a time");
        assert!(refused.text.contains("maxConcurrent is 0: 1 to 100000"), "{}", refused.text);
        assert!(Settings::default().check().is_ok());
    }
}
