//! Bytes: what a container holds, what all hold together, and how much they may.

use super::Account;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The memory of all guests of the node together, in bytes.
pub(crate) struct Budget {
    limit: u64,
    used: AtomicU64,
}

impl Budget {
    /// `limit` in bytes; 0 is none.
    pub fn new(limit: u64) -> Self {
        Self { limit: or_none(limit), used: AtomicU64::new(0) }
    }

    /// 0 is none.
    pub fn limit(&self) -> u64 {
        to_none(self.limit)
    }

    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Bytes that may still be taken.
    pub fn room(&self) -> u64 {
        self.limit.saturating_sub(self.used())
    }
}

/// The memory of one container's guests, in bytes.
pub(crate) struct Memory {
    node: Arc<Budget>,
    limit: AtomicU64,
    used: AtomicU64,
    peak: AtomicU64,
    buffers: AtomicU64,
}

impl Memory {
    pub fn new(node: Arc<Budget>) -> Self {
        Self {
            node,
            limit: AtomicU64::new(u64::MAX),
            used: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            buffers: AtomicU64::new(0),
        }
    }

    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The most that was used at a time.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// 0 is none.
    pub fn limit(&self) -> u64 {
        to_none(self.limit.load(Ordering::Relaxed))
    }

    /// What the host keeps for the guests: a part of what is used.
    pub fn buffers(&self) -> u64 {
        self.buffers.load(Ordering::Relaxed)
    }

    /// 0 is none. One below what is used is refused, with that.
    pub fn set_limit(&self, limit: u64) -> Result<(), u64> {
        let limit = or_none(limit);
        let used = self.used();
        if limit < used {
            return Err(used);
        }
        // Who takes more in between meets the new limit with what it takes next.
        self.limit.store(limit, Ordering::Relaxed);
        Ok(())
    }

    /// Takes `bytes`, unless that crosses the container's or the node's limit.
    pub fn take(&self, bytes: u64) -> Result<(), OutOfMemory> {
        let limit = self.limit.load(Ordering::Relaxed);
        let wanted = add(&self.used, bytes, limit).map_err(|wanted| OutOfMemory::Container { limit, wanted })?;
        if let Err(wanted) = add(&self.node.used, bytes, self.node.limit) {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
            return Err(OutOfMemory::Node { limit: self.node.limit, wanted });
        }
        self.peak.fetch_max(wanted, Ordering::Relaxed);
        Ok(())
    }

    pub fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.node.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Memory of the host that a container pays for, until this is dropped.
pub(crate) struct Held {
    account: Arc<Account>,
    bytes: u64,
}

impl Held {
    pub fn nothing(account: Arc<Account>) -> Self {
        Self { account, bytes: 0 }
    }

    /// Holds at least `bytes` from now on. If there is no room for them, it stays as it is.
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), OutOfMemory> {
        let more = bytes.saturating_sub(self.bytes);
        self.account.memory.take(more)?;
        self.account.memory.buffers.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
        Ok(())
    }

    /// Holds at most `bytes` from now on.
    pub fn shrink_to(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.account.memory.buffers.fetch_sub(less, Ordering::Relaxed);
        self.account.memory.give_back(less);
        self.bytes -= less;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

fn or_none(limit: u64) -> u64 {
    if limit == 0 { u64::MAX } else { limit }
}

fn to_none(limit: u64) -> u64 {
    if limit == u64::MAX { 0 } else { limit }
}

/// The sum, or what it would have been.
fn add(sum: &AtomicU64, bytes: u64, limit: u64) -> Result<u64, u64> {
    let more = |sum: u64| sum.checked_add(bytes).filter(|sum| *sum <= limit);
    let before = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    before.map(|before| before + bytes).map_err(|before| before.saturating_add(bytes))
}

/// The error that ends a guest which crosses a memory limit; in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OutOfMemory {
    Container { limit: u64, wanted: u64 },
    Node { limit: u64, wanted: u64 },
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container { limit, wanted } => write!(
                formatter,
                "the container's memory limit of {limit} bytes was reached: it asked for {wanted} bytes in all"
            ),
            Self::Node { limit, wanted } => write!(
                formatter,
                "the node's memory for guests, {limit} bytes, was used up: this guest asked for what would make it {wanted} \
                 bytes in all; give containers memory limits, or the node more by limits.memory in Atoll's configuration"
            ),
        }
    }
}

impl std::error::Error for OutOfMemory {}
