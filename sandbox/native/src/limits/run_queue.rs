//! Whose turn it is on the workers.
//!
//! Guests that wait for something come and go as they are woken. One that a tick of the epoch interrupts is *busy* and needs a
//! turn to go on. There are as many turns as workers, and a turn goes to the busy guest whose container has had the least CPU
//! time for its weight. So the runtime's own queues hold few busy guests however many there are, a guest that is woken runs
//! after a tick or two, and no worker is idle while anybody has work.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

/// Virtual time: CPU time over weight, in units of [`virtual_time`].
type Virtual = u64;

/// Nobody waits.
const NOBODY: Virtual = u64::MAX;
/// How far a container may be ahead of who waits before it has to queue with each poll, and how much of the time that it did
/// not ask for it is given when it comes back: two ticks of the usual weight.
const SLACK: Virtual = virtual_time(2_000_000, super::USUAL_WEIGHT);

/// Fine enough for a few microseconds of the largest weight, and small enough for years of the smallest.
pub(super) const fn virtual_time(nanoseconds: u64, weight: u64) -> Virtual {
    nanoseconds.saturating_mul(64) / weight
}

/// Wakes a task once the runtime has looked at its reactor: what that wakes goes first. Outside of a worker it is woken at once.
pub(super) fn wake_after_reactor(waker: &Waker) {
    // The first poll hands the waker to the runtime, which keeps it until then.
    let _pending = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(waker));
}

/// The turns, and who waits for one.
pub(crate) struct RunQueue {
    state: Mutex<State>,
    /// Of whom waits first; [`NOBODY`].
    first: AtomicU64,
    /// How far the busy ones have come. Never goes back.
    reached: AtomicU64,
}

struct State {
    free: usize,
    waiting: BTreeMap<Key, Waker>,
    next: u64,
}

/// Virtual time, then order of arrival.
type Key = (Virtual, u64);

/// The right to go on, passed on when dropped.
pub(super) struct Turn {
    queue: Arc<RunQueue>,
    /// It is somebody else's already.
    passed: bool,
}

/// A place in the queue, left when dropped.
pub(super) struct Ticket {
    queue: Arc<RunQueue>,
    key: Key,
    /// The turn that it stood for has been taken.
    done: bool,
}

impl RunQueue {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            state: Mutex::new(State { free: workers, waiting: BTreeMap::new(), next: 0 }),
            first: AtomicU64::new(NOBODY),
            reached: AtomicU64::new(0),
        }
    }

    /// Whether a container at `at` may go on without a turn.
    pub(super) fn lets_pass(&self, at: Virtual) -> bool {
        let first = self.first.load(Ordering::Relaxed);
        if first == NOBODY {
            self.advance(at);
        }
        at <= first.saturating_add(SLACK)
    }

    /// Where a container that wants to work at `at` stands: time that it did not ask for is not saved up.
    pub(super) fn catch_up(&self, at: &AtomicU64) -> Virtual {
        let least = self.reached.load(Ordering::Relaxed).saturating_sub(SLACK);
        let now = at.load(Ordering::Relaxed);
        if now >= least { now } else { at.fetch_max(least, Ordering::Relaxed).max(least) }
    }

    /// A turn, if one is free; else `waker` is woken when there is one for the ticket.
    pub(super) fn enter(self: &Arc<Self>, at: Virtual, waker: Waker) -> Result<Turn, Ticket> {
        let mut state = self.lock();
        if state.free > 0 {
            state.free -= 1;
            self.advance(at);
            return Ok(Turn::of(self));
        }
        Err(self.wait(&mut state, at, waker))
    }

    fn wait(self: &Arc<Self>, state: &mut State, at: Virtual, waker: Waker) -> Ticket {
        let key = (at, state.next);
        state.next += 1;
        state.waiting.insert(key, waker);
        self.note_first(state);
        Ticket { queue: self.clone(), key, done: false }
    }

    /// Takes out who waits first.
    fn pop(&self, state: &mut State) -> Option<Waker> {
        let ((at, _), waker) = state.waiting.pop_first()?;
        self.note_first(state);
        self.advance(at);
        Some(waker)
    }

    fn note_first(&self, state: &State) {
        let first = state.waiting.first_key_value().map_or(NOBODY, |((at, _), _)| *at);
        self.first.store(first, Ordering::Relaxed);
    }

    fn advance(&self, at: Virtual) {
        // Read first: it is asked at every poll, and seldom changes where many are busy.
        if at > self.reached.load(Ordering::Relaxed) {
            self.reached.fetch_max(at, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn of(queue: &Arc<RunQueue>) -> Self {
        Self { queue: queue.clone(), passed: false }
    }

    /// Gives the turn to who waits for less than `at`; the ticket is for the next one. Kept if nobody does.
    pub fn offer(mut self, at: Virtual, waker: Waker) -> Result<Self, Ticket> {
        let queue = self.queue.clone();
        if at <= queue.first.load(Ordering::Relaxed) {
            queue.advance(at);
            return Ok(self);
        }
        let mut state = queue.lock();
        let Some(next) = queue.pop(&mut state) else { return Ok(self) };
        let ticket = queue.wait(&mut state, at, waker);
        drop(state);
        self.passed = true;
        wake_after_reactor(&next);
        Err(ticket)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.passed {
            return;
        }
        let mut state = self.queue.lock();
        let next = self.queue.pop(&mut state);
        if next.is_none() {
            state.free += 1;
        }
        drop(state);
        if let Some(next) = next {
            wake_after_reactor(&next);
        }
    }
}

impl Ticket {
    /// The turn, once it has come.
    pub fn turn(&mut self) -> Option<Turn> {
        if self.queue.lock().waiting.contains_key(&self.key) {
            return None;
        }
        self.done = true;
        Some(Turn::of(&self.queue))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut state = self.queue.lock();
        let waited = state.waiting.remove(&self.key).is_some();
        self.queue.note_first(&state);
        drop(state);
        if !waited {
            // Its turn had come: it goes to the next.
            drop(Turn::of(&self.queue));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    #[derive(Default)]
    struct Bell(AtomicBool);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    impl Bell {
        fn rang(&self) -> bool {
            self.0.swap(false, Ordering::SeqCst)
        }
    }

    fn bell() -> (Arc<Bell>, Waker) {
        let bell = Arc::<Bell>::default();
        (bell.clone(), bell.into())
    }

    #[test]
    fn a_turn_goes_to_who_had_least() {
        let queue = Arc::new(RunQueue::new(1));
        let Ok(turn) = queue.enter(10, bell().1) else { panic!("a turn is free") };
        let ((rich, for_rich), (poor, for_poor)) = (bell(), bell());
        let Err(mut later) = queue.enter(30, for_rich) else { panic!("the turn is taken") };
        let Err(mut sooner) = queue.enter(20, for_poor) else { panic!("the turn is taken") };

        let Ok(turn) = turn.offer(20, bell().1) else { panic!("nobody had less") };
        let (own, waker) = bell();
        let Err(mut own_ticket) = turn.offer(25, waker) else { panic!("another had less") };

        assert!(poor.rang() && !rich.rang() && later.turn().is_none() && own_ticket.turn().is_none());
        drop(sooner.turn().expect("its turn"));
        assert!(own.rang() && !rich.rang());
        drop(own_ticket);
        assert!(rich.rang());
        drop(later.turn().expect("its turn"));
        assert!(queue.enter(0, bell().1).is_ok(), "the turn is free again");
    }

    #[test]
    fn who_leaves_the_queue_takes_no_turn_along() {
        let queue = Arc::new(RunQueue::new(1));
        let Ok(turn) = queue.enter(0, bell().1) else { panic!("a turn is free") };
        drop(queue.enter(1, bell().1));
        drop(turn);
        assert_eq!(queue.lock().free, 1);
        assert!(queue.lets_pass(u64::MAX - 1), "nobody waits");
    }

    #[test]
    fn who_is_far_ahead_of_who_waits_has_to_queue() {
        let queue = Arc::new(RunQueue::new(1));
        let Ok(_turn) = queue.enter(100, bell().1) else { panic!("a turn is free") };
        let Err(_ticket) = queue.enter(100, bell().1) else { panic!("the turn is taken") };
        assert!(queue.lets_pass(0) && queue.lets_pass(100 + SLACK) && !queue.lets_pass(101 + SLACK));
    }

    #[test]
    fn time_that_was_not_asked_for_is_not_saved_up() {
        let queue = Arc::new(RunQueue::new(1));
        let newcomer = AtomicU64::new(0);
        assert!(queue.lets_pass(10 * SLACK));
        assert_eq!(queue.catch_up(&newcomer), 9 * SLACK);
        let ahead = AtomicU64::new(20 * SLACK);
        assert_eq!(queue.catch_up(&ahead), 20 * SLACK);
    }
}
