//! A bounded set of named threads for work that takes long or blocks, started when first needed.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// Threads end when the set is closed or dropped; jobs not begun by then are dropped.
pub(crate) struct Jobs {
    name: &'static str,
    most: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Jobs {
    /// At most `most` threads named `name`.
    pub fn new(name: &'static str, most: usize) -> Self {
        Self { name, most, shared: Arc::default() }
    }

    /// Queues `job`; returns at once.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(std::io::Error::other("the engine is closed"));
        }
        if state.idle <= state.queue.len() && state.threads < self.most {
            let shared = self.shared.clone();
            // Compilers recurse: as much stack as a main thread has.
            std::thread::Builder::new().name(self.name.into()).stack_size(8 << 20).spawn(move || shared.work())?;
            state.threads += 1;
        }
        state.queue.push_back(Box::new(job));
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Drops waiting jobs and lets the threads end after what they are doing.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.queue);
        drop(state);
        drop(dropped);
        self.shared.changed.notify_all();
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                drop(state);
                // A panicking job reports through its own guard; the thread must live on either way.
                drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)));
                state = self.lock();
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
