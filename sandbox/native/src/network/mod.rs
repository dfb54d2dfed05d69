//! A guest's network: where its sockets are made, what it may reach, and how many sockets it holds.
//!
//! | file | owns |
//! |---|---|
//! | `namespace` | entering the pod's network namespace for the call that makes a socket |
//! | `policy` | the operator's rules |
//! | `quota` | open sockets of a guest |
//! | `refusals` | the log lines and the count of what the policy refused |
//! | `sockets` | wasi:sockets with all of this before it |
//! | `surroundings` | `/etc/hosts` and `/etc/resolv.conf` |
//! | `names`, `name_servers`, `lookup` | the guest's resolver, whom it asks, and wasi:sockets/ip-name-lookup by it |
//! | `outgoing`, `connector`, `trust` | outgoing wasi:http, its connections, and whose certificates they trust |
//! | `tasks` | tasks that end with the guest, on its bill |

mod connector;
pub(crate) mod lookup;
mod name_servers;
mod names;
mod namespace;
mod outgoing;
mod policy;
mod quota;
mod refusals;
pub(crate) mod sockets;
mod surroundings;
mod tasks;
#[cfg(test)]
mod testing;
mod trust;

pub(crate) use namespace::Namespace;
pub(crate) use outgoing::Hooks;
pub(crate) use policy::{Policy, Request as PolicyRequest};
pub(crate) use quota::StoreSockets;

use crate::failure::{Failure, Result};
use crate::limits::Account;
use crate::quota::Quota;
use crate::view::View;
use names::{Asked, NameError, Names};
use outgoing::Pool;
use policy::{Ports, Reason, meant};
use refusals::Refusals;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tasks::Tasks;
use trust::Trust;

/// The version of wasi:sockets that wasmtime-wasi defines. The linker's entries are found by any 0.2.x, but replaced by this
/// very version only.
const SOCKETS_VERSION: &str = "0.2.12";

/// Addresses remembered of resolved names.
const MOST_OPENED: usize = 4096;

/// `atoll_guest_new`'s `network`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkRequest {
    namespace: Option<String>,
    #[serde(default)]
    fresh: bool,
    /// The id of a policy; 0 is none.
    #[serde(default)]
    pub policy: i64,
}

impl NetworkRequest {
    /// Opens the network of `guest`.
    pub fn open(&self, guest: Surroundings<'_>, policy: Option<Arc<Policy>>) -> Result<Arc<Network>> {
        let namespace = match (&self.namespace, self.fresh) {
            (Some(path), false) => Namespace::open(path)?,
            (None, true) => Namespace::fresh()?,
            (None, false) => Namespace::Node,
            (Some(path), true) => {
                return Err(Failure::invalid(format!("a network is either fresh or {path:?}; both were asked for")));
            }
        };
        let policy = policy.unwrap_or_else(|| Arc::new(Policy::open()));
        Ok(Arc::new(Network::new(guest, namespace, policy)))
    }
}

/// What a network has to know of its guest.
pub(crate) struct Surroundings<'a> {
    /// For the log.
    pub name: &'a str,
    /// "NAME=VALUE".
    pub env: &'a [String],
    pub view: Option<Arc<View>>,
    pub account: Arc<Account>,
}

/// The network of one guest, shared by all its instances.
pub(crate) struct Network {
    pub namespace: Arc<Namespace>,
    pub sockets: Arc<Quota>,
    policy: Arc<Policy>,
    refusals: Refusals,
    /// What the guest resolved, where rules for names open it.
    opened: Mutex<HashMap<IpAddr, Ports>>,
    names: Names,
    pool: Pool,
    trust: Trust,
    tasks: Tasks,
}

impl Network {
    pub fn new(guest: Surroundings<'_>, namespace: Namespace, policy: Arc<Policy>) -> Self {
        let namespace = Arc::new(namespace);
        let tasks = Tasks::new(guest.account);
        Self {
            sockets: Arc::new(Quota::new(policy.max_sockets)),
            refusals: Refusals::new(guest.name, &policy.name),
            opened: Mutex::default(),
            pool: Pool::default(),
            trust: Trust::new(guest.env, guest.view.clone()),
            names: Names::new(namespace.clone(), guest.view, tasks.clone(), policy.has_names()),
            tasks,
            namespace,
            policy,
        }
    }

    /// Ends everything that is in progress for the guest, and all that is begun from now on.
    pub fn close(&self) {
        self.tasks.end();
        self.names.close();
        self.pool.let_go();
    }

    /// The addresses of what the guest asks for, at least one. Whether it may is asked before, by [`Self::may_name`].
    pub async fn resolve(&self, asked: &Asked) -> std::result::Result<Vec<IpAddr>, NameError> {
        let found = self.names.resolve(asked, &|server| self.may_ask(server)).await?;
        if let Some(name) = asked.name()
            && found.vouched
        {
            self.resolved(name, &found.addresses);
        }
        Ok(found.addresses)
    }

    /// Whether the name server may be asked. It need not be allowed, but a rule that denies it wins.
    fn may_ask(&self, server: IpAddr) -> bool {
        let address = SocketAddr::new(meant(server), 53);
        match self.policy.check_address(address, &[]) {
            Err(Reason::Denied(rule)) => self.tell("name-server", &address, Err(Reason::Denied(rule))),
            Ok(()) | Err(Reason::NotAllowed) => true,
        }
    }

    /// What the policy refused so far.
    pub fn refused(&self) -> u64 {
        self.refusals.count()
    }

    /// Whether the guest may reach `address`; a refusal is logged and counted.
    pub fn may_reach(&self, doing: &str, address: SocketAddr) -> bool {
        let address = SocketAddr::new(meant(address.ip()), address.port());
        if address.ip().is_loopback() && !self.namespace.is_node() {
            return true;
        }
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let ports = opened.get(&address.ip()).map_or(&[][..], Vec::as_slice);
        let verdict = self.policy.check_address(address, ports);
        drop(opened);
        self.tell(doing, &address, verdict)
    }

    /// Whether the guest may ask for `name`, to reach it at `port` or to know its addresses; a refusal is logged and counted.
    pub fn may_name(&self, doing: &str, name: &str, port: Option<u16>) -> bool {
        let verdict = self.policy.check_name(name, port);
        match port {
            Some(port) => self.tell(doing, &format_args!("{name}:{port}"), verdict),
            None => self.tell(doing, &name, verdict),
        }
    }

    /// A name server told the addresses of `name`: they are open at the ports that rules for the name say.
    fn resolved(&self, name: &str, addresses: &[IpAddr]) {
        let ports = self.policy.opened_by(name);
        if ports.is_empty() {
            return;
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        for ip in addresses {
            let ip = ip.to_canonical();
            if opened.len() >= MOST_OPENED && !opened.contains_key(&ip) {
                // A guest that resolves without end has to resolve again what it wants to reach.
                opened.clear();
            }
            let known = opened.entry(ip).or_default();
            for range in &ports {
                if !known.contains(range) {
                    known.push(range.clone());
                }
            }
        }
    }

    /// A socket was refused because the guest holds as many as it may.
    pub fn out_of_sockets(&self, doing: &str) {
        self.refusals.tell(doing, &format_args!("a further socket"), "max-sockets");
    }

    fn tell(&self, doing: &str, target: &dyn std::fmt::Display, verdict: std::result::Result<(), Reason>) -> bool {
        match verdict {
            Ok(()) => true,
            Err(Reason::Denied(rule)) => {
                self.refusals.tell(doing, target, &rule);
                false
            }
            Err(Reason::NotAllowed) => {
                self.refusals.tell(doing, target, "no allow rule");
                false
            }
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.close();
    }
}
