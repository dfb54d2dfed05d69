//! What a guest may use and has used.

use crate::clock;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wasmtime::ResourceLimiter;

/// Bytes that one table element takes in Wasmtime.
const TABLE_ELEMENT: u64 = 8;

/// Numbers of one guest.
#[derive(Default)]
pub(crate) struct Usage {
    pub cpu_ns: AtomicU64,
    /// Bytes of all linear memories and tables.
    pub memory: AtomicU64,
    pub peak: AtomicU64,
}

impl Usage {
    /// Does `work` on this thread and counts its CPU time.
    pub fn charge<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = clock::thread_cpu();
        let done = work();
        self.cpu_ns.fetch_add(clock::thread_cpu().saturating_sub(before), Ordering::Relaxed);
        done
    }
}

/// The error that ends a guest which crosses its memory limit.
#[derive(Debug)]
pub(crate) struct OutOfMemory {
    limit: u64,
    wanted: u64,
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the guest's memory limit of {} bytes was reached: it asked for {} bytes of memories and tables in all",
            self.limit, self.wanted
        )
    }
}

impl std::error::Error for OutOfMemory {}

/// Sums all memories and tables of a guest over its stores. Crossing the limit ends the guest, as the kernel would, rather than
/// letting `memory.grow` answer -1.
pub(crate) struct Limits {
    limit: u64,
    usage: Arc<Usage>,
    /// Bytes of this store.
    own: u64,
    /// What the last growth added, to take back if Wasmtime could not carry it out.
    last: u64,
}

impl Limits {
    /// `limit` in bytes; 0 is none.
    pub fn new(limit: u64, usage: Arc<Usage>) -> Self {
        Self { limit: if limit == 0 { u64::MAX } else { limit }, usage, own: 0, last: 0 }
    }

    fn grow(&mut self, bytes: u64) -> wasmtime::Result<bool> {
        let memory = &self.usage.memory;
        let wanted = memory.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if wanted > self.limit {
            memory.fetch_sub(bytes, Ordering::Relaxed);
            return Err(wasmtime::Error::from(OutOfMemory { limit: self.limit, wanted }));
        }
        self.last = bytes;
        self.own += bytes;
        self.usage.peak.fetch_max(wanted, Ordering::Relaxed);
        Ok(true)
    }

    fn take_back(&mut self) {
        let last = std::mem::take(&mut self.last);
        self.own -= last;
        self.usage.memory.fetch_sub(last, Ordering::Relaxed);
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        self.usage.memory.fetch_sub(self.own, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.last = 0;
            return Ok(false);
        }
        self.grow((desired - current) as u64)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.last = 0;
            return Ok(false);
        }
        self.grow((desired - current) as u64 * TABLE_ELEMENT)
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    // A guest is one program: many instances (a component's parts), but not without end.
    fn instances(&self) -> usize {
        256
    }

    fn memories(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        256
    }
}
