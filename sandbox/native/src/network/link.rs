//! A connection as its requests, its responses and the guest's quota see it.
//!
//! hyper keeps connections by itself and does not say which are idle, so the stream below it notes what goes on: with
//! HTTP/1.1 a request is in progress from its first byte on until its response has been read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};

/// One connection. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Link(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    h2: bool,
    /// Requests that took it, ever.
    taken: usize,
    /// Requests in progress; without HTTP/2 one at most.
    busy: usize,
    ending: Ending,
    reader: Option<Waker>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Ending {
    #[default]
    No,
    /// Unless a request is faster.
    IfIdle,
    Now,
}

impl Link {
    pub fn new(h2: bool) -> Self {
        Self(Arc::new(Mutex::new(State { h2, ..State::default() })))
    }

    /// One more request takes the connection; whether it is not the first.
    pub fn take(&self) -> (Turn, bool) {
        let mut state = self.state();
        state.taken += 1;
        if state.h2 {
            state.busy += 1;
        }
        (Turn { link: self.clone(), number: state.taken }, state.taken > 1)
    }

    /// Ends the connection if no request is in progress; whether it does.
    fn let_go(&self) -> bool {
        let mut state = self.state();
        let idle = state.busy == 0 && state.ending == Ending::No && state.taken > 0;
        if idle {
            state.ending = Ending::IfIdle;
            state.wake();
        }
        idle
    }

    /// The stream is about to read; whether it is to end instead.
    pub fn is_to_end(&self, context: &Context<'_>) -> bool {
        let mut state = self.state();
        if state.reader.as_ref().is_none_or(|reader| !reader.will_wake(context.waker())) {
            state.reader = Some(context.waker().clone());
        }
        state.ending != Ending::No
    }

    /// The stream is about to write.
    pub fn writes(&self) {
        let mut state = self.state();
        if !state.h2 {
            state.busy = 1;
        }
        if state.ending == Ending::IfIdle {
            state.ending = Ending::No;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// A request's hold on its connection, until the response was read.
pub(super) struct Turn {
    link: Link,
    number: usize,
}

impl Turn {
    pub fn is_of(&self, link: &Link) -> bool {
        Arc::ptr_eq(&self.link.0, &link.0)
    }

    /// Nobody wants the rest of the response. A connection that has nothing else to give ends: hyper by itself looks whether
    /// somebody wants more only when there is more.
    pub fn abandon(&self) {
        let mut state = self.link.state();
        if !state.h2 && state.taken == self.number {
            state.ending = Ending::Now;
            state.wake();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.link.state();
        if state.h2 {
            state.busy -= 1;
        } else if state.taken == self.number {
            state.busy = 0;
        }
    }
}

/// All connections of a guest.
#[derive(Default)]
pub(super) struct Links(Mutex<Vec<Weak<Mutex<State>>>>);

impl Links {
    pub fn add(&self, link: &Link) {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(&link.0));
    }

    /// Ends the oldest connection that is idle.
    pub fn let_one_go(&self) {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.iter().filter_map(Weak::upgrade).any(|link| Link(link).let_go());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(h2: bool) -> (Links, Link) {
        let (links, link) = (Links::default(), Link::new(h2));
        links.add(&link);
        (links, link)
    }

    fn ends(link: &Link) -> bool {
        link.is_to_end(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn only_idle_connections_are_let_go() {
        for h2 in [false, true] {
            let (links, link) = link(h2);
            links.let_one_go();
            assert!(!ends(&link), "it is for the request that made it");
            let (turn, again) = link.take();
            link.writes();
            links.let_one_go();
            assert!(!again && !ends(&link));
            drop(turn);
            links.let_one_go();
            assert!(ends(&link));
        }
    }

    #[test]
    fn a_request_that_was_faster_keeps_its_connection() {
        let (links, link) = link(false);
        drop(link.take());
        links.let_one_go();
        link.writes();
        assert!(!ends(&link));
        links.let_one_go();
        assert!(!ends(&link), "a request is in progress");
    }

    #[test]
    fn an_abandoned_response_ends_its_own_request_only() {
        let (_, link) = link(false);
        let (first, _) = link.take();
        let (second, again) = link.take();
        link.writes();
        first.abandon();
        drop(first);
        assert!(again && !ends(&link));
        second.abandon();
        assert!(ends(&link));
    }
}
