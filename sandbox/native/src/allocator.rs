//! Memory that the allocator keeps after it was freed, and giving it back to the node.
//!
//! glibc gives pages back by itself only from the end of a heap. A guest that had the host make many small things for it, or a
//! compiler, leaves holes all over the heaps, which would stay in the daemon for as long as it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// How much may become free after the last time, in bytes, before free pages are given back again.
const GROWTH: u64 = 32 << 20;
/// Time between two looks: guests may end by the thousand, and a heap is locked while it is looked at.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives all free pages back. Takes some milliseconds for 100 MiB, in which threads that share a heap may have to wait.
pub(crate) fn give_back() {
    // SAFETY: the function may be called at any time, and 0 is a number of bytes to leave at the end of the heap.
    unsafe { libc::malloc_trim(0) };
}

/// Gives memory back after guests have ended.
pub(crate) struct Tidying {
    wanted: Arc<Notify>,
}

impl Tidying {
    pub fn start(runtime: &Handle) -> Self {
        let wanted = Arc::<Notify>::default();
        let (asked, watch) = (wanted.clone(), Arc::new(Watch::from_now()));
        drop(runtime.spawn(async move {
            loop {
                asked.notified().await;
                tokio::time::sleep(PAUSE).await;
                if !watch.sees_growth() {
                    continue;
                }
                let watch = watch.clone();
                if tokio::task::spawn_blocking(move || watch.give_back()).await.is_err() {
                    // The runtime is being shut down.
                    return;
                }
            }
        }));
        Self { wanted }
    }

    /// A guest has ended, and what it held was freed.
    pub fn want(&self) {
        self.wanted.notify_one();
    }
}

/// What was free when there was least of it, since memory was last given back: the allocator counts as free what it has given
/// back, too.
struct Watch(AtomicU64);

impl Watch {
    fn from_now() -> Self {
        Self(AtomicU64::new(free()))
    }

    /// Whether much was freed, whatever was in use the last time.
    fn sees_growth(&self) -> bool {
        let now = free();
        let least = self.0.load(Ordering::Relaxed).min(now);
        self.0.store(least, Ordering::Relaxed);
        now > least.saturating_add(GROWTH)
    }

    fn give_back(&self) {
        give_back();
        self.0.store(free(), Ordering::Relaxed);
    }
}

/// Bytes in all heaps that are in nobody's use. Takes some milliseconds if they are in many pieces.
fn free() -> u64 {
    // SAFETY: the function may be called at any time; it looks at each heap under the heap's own lock.
    unsafe { libc::mallinfo2() }.fordblks as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// All tests look at the same heaps.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether memory stands behind the page at `address`.
    fn is_resident(address: usize) -> bool {
        let page = rustix::param::page_size();
        let mut state = 0;
        // SAFETY: the call only looks, at any address; it writes one byte, since it is asked about one page.
        let known = unsafe { libc::mincore((address & !(page - 1)) as *mut libc::c_void, page, &raw mut state) };
        known == 0 && state & 1 == 1
    }

    #[test]
    fn what_was_freed_between_things_that_stay_is_given_back() {
        let _alone = alone();
        let mut things: Vec<_> = (0..400_000).map(|_| Some(Box::new([1_u8; 500]))).collect();
        let mut freed = Vec::new();
        for thing in things.iter_mut().enumerate().filter(|(number, _)| number % 1000 != 0).map(|(_, thing)| thing) {
            freed.extend(thing.take().map(|thing| (&raw const *thing).addr()));
        }
        let resident = || freed.iter().filter(|address| is_resident(**address)).count();
        assert!(resident() > freed.len() * 9 / 10, "the allocator keeps what lies between others");
        give_back();
        // Other tests may use some of it meanwhile.
        assert!(resident() < freed.len() / 2, "{} of {}", resident(), freed.len());
    }

    /// As much as is given back, in pieces that a heap is made for.
    fn things() -> Vec<Vec<u8>> {
        (0..4 * GROWTH / 500).map(|_| vec![1; 500]).collect()
    }

    #[test]
    fn what_was_in_use_at_the_last_time_is_seen_when_it_is_freed() {
        let _alone = alone();
        let things = things();
        let watch = Watch::from_now();
        watch.give_back();
        assert!(!watch.sees_growth());
        drop(things);
        assert!(watch.sees_growth());
    }

    #[test]
    fn what_is_used_again_and_freed_again_is_seen() {
        let _alone = alone();
        drop(things());
        let watch = Watch::from_now();
        let again = things();
        assert!(!watch.sees_growth());
        drop(again);
        assert!(watch.sees_growth());
    }
}
