//! A bounded set of named threads for work that takes long or blocks, started when first needed.
//!
//! Each owner's jobs are done one after the other, and owners take turns: who asks for much waits for himself.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// Threads end when the set is closed or dropped; jobs not begun by then are dropped.
pub(crate) struct Jobs {
    name: &'static str,
    most: usize,
    niceness: i32,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Owners in the order of their turns, with their jobs.
    waiting: VecDeque<(String, VecDeque<Job>)>,
    /// Owners of the jobs that are being done.
    served: HashSet<String>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Jobs {
    /// At most `most` threads named `name`, so much nicer than the process.
    pub fn new(name: &'static str, most: usize, niceness: i32) -> Self {
        Self { name, most, niceness, shared: Arc::default() }
    }

    /// Queues a job of `owner`; returns at once.
    pub fn submit(&self, owner: &str, job: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(std::io::Error::other("the engine is closed"));
        }
        if state.idle <= state.waiting.len() && state.threads < self.most {
            let (shared, niceness) = (self.shared.clone(), self.niceness);
            // Compilers recurse: as much stack as a main thread has.
            std::thread::Builder::new().name(self.name.into()).stack_size(8 << 20).spawn(move || {
                // On Linux it is the thread's own, and inherited by those that it starts. Refused, it is as nice as the rest.
                let _: rustix::io::Result<()> = rustix::process::setpriority_process(None, niceness);
                shared.work();
            })?;
            state.threads += 1;
        }
        state.push(owner, Box::new(job));
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Drops waiting jobs and lets the threads end after what they are doing.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let dropped = std::mem::take(&mut state.waiting);
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

impl State {
    fn push(&mut self, owner: &str, job: Job) {
        match self.waiting.iter_mut().find(|(waiting, _)| waiting == owner) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.waiting.push_back((owner.to_owned(), VecDeque::from([job]))),
        }
    }

    /// The next job of the first owner that has none in progress.
    fn pop(&mut self) -> Option<(String, Job)> {
        let index = self.waiting.iter().position(|(owner, _)| !self.served.contains(owner))?;
        let (owner, mut jobs) = self.waiting.remove(index)?;
        let job = jobs.pop_front()?;
        if !jobs.is_empty() {
            self.waiting.push_back((owner.clone(), jobs));
        }
        self.served.insert(owner.clone());
        Some((owner, job))
    }
}

impl Shared {
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some((owner, job)) = state.pop() {
                drop(state);
                // A panicking job reports through its own guard; the thread must live on either way.
                drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)));
                state = self.lock();
                state.served.remove(&owner);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    const DEADLINE: Duration = Duration::from_secs(20);

    /// One thread that is held up by a job of `first`, and a way to let it go.
    fn held(jobs: &Jobs) -> impl FnOnce() + use<> {
        let ((tell, told), (go, gone)) = (channel(), channel::<()>());
        let job = move || {
            tell.send(()).expect("awaited");
            gone.recv_timeout(DEADLINE).expect("let go");
        };
        jobs.submit("first", job).expect("submitted");
        told.recv_timeout(DEADLINE).expect("begun");
        move || go.send(()).expect("held")
    }

    fn all(told: &Receiver<&'static str>) -> Vec<&'static str> {
        told.iter().collect()
    }

    #[test]
    fn owners_take_turns() {
        let jobs = Jobs::new("test", 1, 0);
        let go = held(&jobs);
        let (tell, told) = channel();
        for (owner, job) in [("greedy", "g1"), ("greedy", "g2"), ("greedy", "g3"), ("modest", "m1")] {
            let tell = tell.clone();
            jobs.submit(owner, move || tell.send(job).expect("heard")).expect("submitted");
        }
        drop(tell);
        go();
        assert_eq!(all(&told), ["g1", "m1", "g2", "g3"]);
    }

    #[test]
    fn an_owner_has_one_job_in_progress() {
        let jobs = Jobs::new("test", 2, 0);
        let go = held(&jobs);
        let (tell, told) = channel();
        let (own, other) = (tell.clone(), tell);
        jobs.submit("first", move || own.send("own").expect("heard")).expect("submitted");
        jobs.submit("second", move || other.send("other").expect("heard")).expect("submitted");
        assert_eq!(told.recv_timeout(DEADLINE), Ok("other"), "a thread is free, and the first owner has its job");
        go();
        assert_eq!(told.recv_timeout(DEADLINE), Ok("own"));
    }

    #[test]
    fn a_job_that_panics_takes_nobody_along() {
        let jobs = Jobs::new("test", 1, 0);
        let (tell, told) = channel();
        jobs.submit("a", || panic!("expected by the test")).expect("submitted");
        jobs.submit("a", move || tell.send("next").expect("heard")).expect("submitted");
        assert_eq!(told.recv_timeout(DEADLINE), Ok("next"));
    }
}
