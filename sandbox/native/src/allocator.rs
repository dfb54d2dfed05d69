//! Memory that the allocator keeps after it was freed, and giving it back to the node.
//!
//! glibc gives pages back by itself only from the end of a heap. A guest that had the host make many small things for it, or a
//! compiler, leaves holes all over the heaps, which would stay in the daemon for as long as it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::Notify;

/// How much more than after the last time the process may have, in bytes, before the heaps are searched for free pages again.
const GROWTH: u64 = 32 << 20;
/// Time between two looks: guests may end by the thousand, and a heap is locked while it is searched.
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

/// What the process had when it had least, since memory was last given back.
struct Watch(AtomicU64);

impl Watch {
    fn from_now() -> Self {
        Self(AtomicU64::new(anonymous().unwrap_or(u64::MAX)))
    }

    /// Whether the process has grown, whatever the reason.
    fn sees_growth(&self) -> bool {
        let Some(now) = anonymous() else { return false };
        let least = self.0.load(Ordering::Relaxed).min(now);
        self.0.store(least, Ordering::Relaxed);
        now > least.saturating_add(GROWTH)
    }

    fn give_back(&self) {
        give_back();
        self.0.store(anonymous().unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Bytes of memory that the process has and no file backs (`proc_pid_statm(5)`: resident less shared); `None` where the kernel
/// does not tell.
fn anonymous() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = text.split_ascii_whitespace().skip(1).map(str::parse::<u64>);
    let (resident, shared) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(resident.saturating_sub(shared) * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut things: Vec<_> = (0..400_000).map(|_| Some(Box::new([1_u8; 500]))).collect();
        let mut freed = Vec::new();
        for thing in things.iter_mut().enumerate().filter(|(number, _)| number % 1000 != 0).map(|(_, thing)| thing) {
            freed.extend(thing.take().map(|thing| (&raw const *thing).addr()));
        }
        let resident = || freed.iter().filter(|address| is_resident(**address)).count();
        assert!(resident() > freed.len() * 9 / 10, "the allocator keeps what lies between others");
        let watch = Watch(AtomicU64::new(1));
        assert!(watch.sees_growth());
        watch.give_back();
        // Other tests may use some of it meanwhile.
        assert!(resident() < freed.len() / 2, "{} of {}", resident(), freed.len());
    }

    #[test]
    fn the_first_look_compares_with_the_beginning() {
        let watch = Watch::from_now();
        let grown = std::hint::black_box(vec![1_u8; 3 * usize::try_from(GROWTH).expect("a size")]);
        assert!(watch.sees_growth());
        drop(grown);
    }

    #[test]
    fn growth_is_told_by_the_least_that_the_process_had() {
        let watch = Watch(AtomicU64::new(u64::MAX / 2));
        assert!(!watch.sees_growth());
        assert!(watch.0.load(Ordering::Relaxed) < u64::MAX / 2, "what it has now is what it is compared with next");
    }
}
