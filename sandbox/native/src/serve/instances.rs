//! A server's instances: a fresh one for each request, or, where the pod asks for it, used again.

use super::{Server, Settings};
use crate::host::Host;
use crate::pool::Slot;
use crate::recipe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime_wasi_http::p2::bindings::Proxy;

/// One instance of the program. It handles one request at a time, as WASI 0.2 has it.
pub(crate) struct Instance {
    pub store: Store<Host>,
    pub proxy: Proxy,
    /// Requests it may still handle.
    left: u32,
    count: Arc<AtomicU64>,
    _slot: Slot,
}

/// Where the instance for a request comes from.
pub(crate) enum Source {
    Idle(Instance),
    /// A new one, in this slot.
    Fresh(Slot),
}

impl Instance {
    pub async fn new(server: &Server, slot: Slot) -> wasmtime::Result<Self> {
        let mut store = recipe::store(server.program.engine(), server.recipe.host())?;
        let proxy = server.program.instantiate_async(&mut store).await?;
        let count = server.instances.count.clone();
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Self { store, proxy, left: server.settings.reuse_requests, count, _slot: slot })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The instances that wait for another request.
pub(crate) struct Instances {
    idle: Mutex<Vec<(Instance, Instant)>>,
    longest: Duration,
    count: Arc<AtomicU64>,
}

impl Instances {
    pub fn new(settings: &Settings) -> Self {
        Self { idle: Mutex::default(), longest: settings.reuse_idle(), count: Arc::default() }
    }

    /// How many exist, idle or not.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The one that was used last, so that those that are not needed grow old.
    pub fn idle(&self) -> Option<Instance> {
        self.lock().pop().map(|(instance, _)| instance)
    }

    /// Called when a request ended well.
    pub fn give_back(&self, mut instance: Instance) {
        instance.left -= 1;
        if instance.left > 0 {
            self.lock().push((instance, Instant::now()));
        }
    }

    /// Ends those that have been idle for too long.
    pub fn end_old(&self) {
        let mut idle = self.lock();
        let young = idle.iter().position(|(_, since)| since.elapsed() < self.longest).unwrap_or(idle.len());
        let old: Vec<_> = idle.drain(..young).collect();
        drop(idle);
        drop(old);
    }

    /// Ends all that are idle.
    pub fn end_idle(&self) {
        let idle = std::mem::take(&mut *self.lock());
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instance, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
