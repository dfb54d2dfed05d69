//! Ids to objects. Ids are process-wide, never 0 and never reused, so a stale one is an error and not another object.

use crate::failure::{Code, Failure, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The next id.
pub(crate) fn next_id() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// One kind of object. Any thread may use it; the lock is held for a map operation only.
pub(crate) struct Registry<T> {
    kind: &'static str,
    objects: LazyLock<RwLock<HashMap<u64, Arc<T>>>>,
}

impl<T> Registry<T> {
    pub const fn new(kind: &'static str) -> Self {
        Self { kind, objects: LazyLock::new(RwLock::default) }
    }

    pub fn insert(&self, id: u64, object: Arc<T>) {
        self.objects.write().unwrap_or_else(PoisonError::into_inner).insert(id, object);
    }

    pub fn get(&self, id: i64) -> Result<Arc<T>> {
        u64::try_from(id)
            .ok()
            .and_then(|id| self.objects.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned())
            .ok_or_else(|| self.unknown(id))
    }

    pub fn remove(&self, id: i64) -> Result<Arc<T>> {
        u64::try_from(id)
            .ok()
            .and_then(|id| self.objects.write().unwrap_or_else(PoisonError::into_inner).remove(&id))
            .ok_or_else(|| self.unknown(id))
    }

    /// All objects that `wanted` holds for.
    pub fn select(&self, wanted: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        objects.values().filter(|object| wanted(object)).cloned().collect()
    }

    /// Forgets all objects that `kept` does not hold for.
    pub fn retain(&self, kept: impl Fn(&T) -> bool) {
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        objects.retain(|_, object| kept(object));
    }

    fn unknown(&self, id: i64) -> Failure {
        Failure::new(Code::NotFound, format!("no such {}: {id}; it was never made or has been dropped", self.kind))
    }
}
