//! The memories and tables of one store, on its container's account.

use super::{Account, OutOfMemory};
use std::sync::Arc;
use wasmtime::ResourceLimiter;

/// Bytes that one table element takes in Wasmtime.
const TABLE_ELEMENT: u64 = 8;

/// What a live instance takes beside its memories and tables: its stack, the store, page tables. Measured with 10,000 that
/// sleep (docs/benchmarks.md, `daemon_memory_N_guests`), rounded up.
pub(crate) const INSTANCE: u64 = 48 << 10;

/// What one store holds. Crossing a limit ends the guest, as the kernel would, rather than letting `memory.grow` answer -1.
pub(crate) struct StoreLimits {
    account: Arc<Account>,
    /// Bytes of this store.
    own: u64,
    /// What the last growth added, to take back if Wasmtime could not carry it out.
    last: u64,
}

impl StoreLimits {
    pub fn new(account: Arc<Account>) -> Self {
        Self { account, own: 0, last: 0 }
    }

    /// Takes what an instance needs before it has any memory. To be called once.
    pub fn instance(&mut self) -> Result<(), OutOfMemory> {
        self.take(INSTANCE)
    }

    fn take(&mut self, bytes: u64) -> Result<(), OutOfMemory> {
        self.account.memory.take(bytes)?;
        self.last = bytes;
        self.own += bytes;
        Ok(())
    }

    fn grow(&mut self, from: usize, to: usize, maximum: Option<usize>, unit: u64) -> wasmtime::Result<bool> {
        self.last = 0;
        if maximum.is_some_and(|maximum| to > maximum) {
            return Ok(false);
        }
        self.take((to - from) as u64 * unit)?;
        Ok(true)
    }

    fn take_back(&mut self) {
        let last = std::mem::take(&mut self.last);
        self.own -= last;
        self.account.memory.give_back(last);
    }
}

impl Drop for StoreLimits {
    fn drop(&mut self) {
        self.account.memory.give_back(self.own);
    }
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, maximum, 1)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, maximum, TABLE_ELEMENT)
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
