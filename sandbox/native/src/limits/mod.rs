//! What a container may use and has used.
//!
//! | file | owns |
//! |---|---|
//! | `memory` | bytes of a container and of the node, and their limits |
//! | `store` | a store's memories and tables, as Wasmtime asks for them |
//! | `bandwidth` | the CPU quota |
//! | `run_queue` | whose turn it is, by weight |
//! | `charged` | futures whose polls are paid for, and wait for both |

mod bandwidth;
mod charged;
mod memory;
mod run_queue;
mod store;

pub(crate) use bandwidth::Throttling;
pub(crate) use charged::{Charged, turn};
pub(crate) use memory::{Held, OutOfMemory};
pub(crate) use store::{INSTANCE, StoreLimits};

use crate::clock;
use crate::failure::{Code, Failure, Result};
use bandwidth::{Bandwidth, Quota};
use memory::{Budget, Memory};
use run_queue::{RunQueue, Ticket, Turn, virtual_time};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

/// What a cgroup's `cpu.shares` accepts; others are moved to the nearest (kernel, `sched.h`: `MIN_SHARES`, `MAX_SHARES`).
const SHARES: std::ops::RangeInclusive<u64> = 2..=262_144;
/// The shares of whoever asks for none, as in a cgroup.
const USUAL_SHARES: u64 = 1024;
const USUAL_WEIGHT: u64 = weight(USUAL_SHARES);

/// The weight of so many `cpu.shares`, but for a factor as they become a `cpu.weight` on cgroup v2: 1 + (shares - 2) * 9999 /
/// 262142 (KEP-2254). So a container with the least shares, which Kubernetes gives to who asks for nothing, has a twentieth
/// of the weight of one that asks for half a core, where cgroup v1 would let it starve at a 256th.
const fn weight(shares: u64) -> u64 {
    shares + 24
}

/// `atoll_guest_update`'s request, and a part of `atoll_guest_new`'s. What is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    /// In bytes; 0 is none.
    pub memory_limit: Option<u64>,
    pub cpu: Option<CpuRequest>,
}

/// `cpu` of a guest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CpuRequest {
    /// Not positive: none.
    quota_micros: Option<i64>,
    period_micros: Option<u64>,
    burst_micros: Option<u64>,
    /// As of cgroup v1; 0: the usual.
    shares: Option<u64>,
}

/// What all containers share.
pub(crate) struct Node {
    pub memory: Arc<Budget>,
    run_queue: Arc<RunQueue>,
}

impl Node {
    /// `memory` in bytes, 0 is no limit.
    pub fn new(memory: u64, workers: usize) -> Self {
        Self { memory: Arc::new(Budget::new(memory)), run_queue: Arc::new(RunQueue::new(workers)) }
    }
}

/// What one container may use and has used: shared by its guests, and read live by all that limits them.
pub(crate) struct Account {
    pub memory: Memory,
    cpu_ns: AtomicU64,
    weight: AtomicU64,
    /// CPU time over weight.
    virtual_time: AtomicU64,
    bandwidth: Bandwidth,
    run_queue: Arc<RunQueue>,
    /// Guests that a memory limit has ended.
    pub oom_kills: AtomicU64,
}

impl Account {
    /// An account without limits of its own.
    pub fn new(node: &Node) -> Self {
        Self {
            memory: Memory::new(node.memory.clone()),
            cpu_ns: AtomicU64::new(0),
            weight: AtomicU64::new(USUAL_WEIGHT),
            virtual_time: AtomicU64::new(0),
            bandwidth: Bandwidth::default(),
            run_queue: node.run_queue.clone(),
            oom_kills: AtomicU64::new(0),
        }
    }

    /// Changes limits of the container called `name`; all or nothing.
    pub fn update(&self, name: &str, request: &Request) -> Result<()> {
        let quota = request.cpu.as_ref().map(|cpu| self.quota(cpu)).transpose()?;
        if let Some(limit) = request.memory_limit {
            self.memory.set_limit(limit).map_err(|used| {
                let text = format!(
                    "the memory limit of {name} cannot become {limit} bytes: it uses {used} bytes, which a guest cannot give \
                     back; set a higher limit, or start it anew"
                );
                Failure::new(Code::Busy, text)
            })?;
        }
        if let Some(quota) = quota {
            self.bandwidth.set(quota);
        }
        if let Some(shares) = request.cpu.as_ref().and_then(|cpu| cpu.shares) {
            let shares = if shares == 0 { USUAL_SHARES } else { shares.clamp(*SHARES.start(), *SHARES.end()) };
            self.weight.store(weight(shares), Ordering::Relaxed);
        }
        Ok(())
    }

    fn quota(&self, request: &CpuRequest) -> Result<Quota> {
        let now = self.bandwidth.quota();
        Quota::new(
            request.quota_micros.unwrap_or(now.quota_micros()),
            request.period_micros.unwrap_or(now.period_micros()),
            request.burst_micros.unwrap_or(now.burst_micros()),
        )
    }

    /// Takes memory of the host for the container.
    pub fn hold(self: &Arc<Self>, bytes: u64) -> std::result::Result<Held, OutOfMemory> {
        let mut held = Held::nothing(self.clone());
        held.grow_to(bytes)?;
        Ok(held)
    }

    /// Does `work` on this thread and counts its CPU time, also that of one which panics.
    pub fn charge<T>(&self, work: impl FnOnce() -> T) -> T {
        let _meter = Meter { account: self, before: clock::thread_cpu() };
        work()
    }

    /// Counts what compiling its program took. It is in the figures only: a quota would hold back the guest's start, and
    /// compilers have a bound of their own.
    pub fn add_compilation(&self, nanoseconds: u64) {
        self.cpu_ns.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    fn spend(&self, nanoseconds: u64) {
        self.cpu_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        let weight = self.weight.load(Ordering::Relaxed);
        self.virtual_time.fetch_add(virtual_time(nanoseconds, weight), Ordering::Relaxed);
        self.bandwidth.spend(nanoseconds);
    }

    /// Where the container stands in the queue.
    fn place(&self) -> u64 {
        self.run_queue.catch_up(&self.virtual_time)
    }

    /// Whether work may go on without a turn.
    fn may_pass(&self) -> bool {
        self.run_queue.lets_pass(self.place())
    }

    /// A turn, or a place in the queue for one.
    fn queue(&self, waker: Waker) -> std::result::Result<Turn, Ticket> {
        self.run_queue.enter(self.place(), waker)
    }

    /// Nanoseconds of CPU time.
    pub fn cpu_ns(&self) -> u64 {
        self.cpu_ns.load(Ordering::Relaxed)
    }

    pub fn throttling(&self) -> Throttling {
        self.bandwidth.throttling()
    }
}

/// Charges what the thread has worked since it was made.
struct Meter<'a> {
    account: &'a Account,
    before: u64,
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.account.spend(clock::thread_cpu().saturating_sub(self.before));
    }
}
