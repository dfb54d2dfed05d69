//! The epoch: a thread that ticks every millisecond while some guest is being polled, and sleeps otherwise.
//!
//! A tick makes running wasm yield at its next loop head or call, so that guests share the workers and a kill is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

/// Time between two ticks.
const TICK: Duration = Duration::from_millis(1);
/// Idle ticks before the thread parks: a busy engine enters and leaves polls all the time and must not pay for wake-ups.
const PATIENCE: u32 = 16;

/// How many guests are being polled right now.
#[derive(Default)]
pub(crate) struct Activity {
    polls: AtomicUsize,
    parked: AtomicBool,
    stopped: AtomicBool,
}

pub(crate) struct Ticker {
    pub activity: Arc<Activity>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

/// One poll in progress; ends when dropped.
pub(crate) struct Polling<'a>(&'a Activity);

impl Ticker {
    pub fn start<const N: usize>(engines: [&wasmtime::Engine; N]) -> std::io::Result<Self> {
        let activity = Arc::new(Activity::default());
        let (engines, shared) = (engines.map(wasmtime::Engine::weak), activity.clone());
        let handle = std::thread::Builder::new().name("atoll-epoch".into()).spawn(move || {
            let mut idle = 0;
            while !shared.stopped.load(Ordering::SeqCst) {
                if shared.polls.load(Ordering::SeqCst) > 0 {
                    idle = 0;
                    for engine in &engines {
                        let Some(engine) = engine.upgrade() else { return };
                        engine.increment_epoch();
                    }
                } else {
                    idle += 1;
                }
                if idle < PATIENCE {
                    std::thread::sleep(TICK);
                    continue;
                }
                shared.parked.store(true, Ordering::SeqCst);
                // Looked at again after `parked` is visible: a poll that began in between would not wake us.
                if shared.polls.load(Ordering::SeqCst) == 0 && !shared.stopped.load(Ordering::SeqCst) {
                    std::thread::park();
                }
                shared.parked.store(false, Ordering::SeqCst);
                idle = 0;
            }
        })?;
        Ok(Self { activity, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// Marks a poll of a guest. Called on workers, around each poll.
    pub fn polling(&self) -> Polling<'_> {
        self.activity.polls.fetch_add(1, Ordering::SeqCst);
        if self.activity.parked.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Polling(&self.activity)
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.polls.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.activity.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
        // The last owner may be the ticker's own upgraded engine's user; joining oneself would never end.
        if let Some(handle) = self.handle.take().filter(|handle| handle.thread().id() != std::thread::current().id()) {
            drop(handle.join());
        }
    }
}
