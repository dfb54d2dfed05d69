//! Futures that a container pays for.

use super::Account;
use super::run_queue::{Ticket, Turn, wake_after_reactor};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use tokio::time::Sleep;

thread_local! {
    /// Who is to be woken when a guest that was interrupted in this poll may go on.
    static INTERRUPTED: Cell<Option<Waker>> = const { Cell::new(None) };
}

/// What a guest that a tick interrupts waits for: its next turn, which the [`Charged`] around it gets. It must be inside one.
pub(crate) fn turn() -> impl Future<Output = ()> + Send {
    let mut begun = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut begun, true) {
            return Poll::Ready(());
        }
        INTERRUPTED.set(Some(context.waker().clone()));
        Poll::Pending
    })
}

/// A future whose polls count as a container's CPU time. It waits while the quota is used up, and for its turn while others
/// have had less.
pub(crate) struct Charged<F> {
    work: Pin<Box<F>>,
    account: Arc<Account>,
    place: Place,
}

/// Where the work stands between two polls.
enum Place {
    /// It may go on when it is woken.
    Free,
    /// Until the quota is worth asking again.
    Stopped(Pin<Box<Sleep>>),
    Waiting(Ticket),
    /// It was interrupted in its turn, which others have to be offered first.
    Interrupted(Turn, Waker),
}

impl<F: Future> Charged<F> {
    pub fn new(work: F, account: Arc<Account>) -> Self {
        Self { work: Box::pin(work), account, place: Place::Free }
    }

    /// Ready when the work may go on, with the turn that it does so in if it needs one.
    fn leave(&mut self, context: &mut Context<'_>) -> Poll<Option<Turn>> {
        loop {
            let turn = match &mut self.place {
                Place::Free => None,
                Place::Stopped(pause) => {
                    ready!(pause.as_mut().poll(context));
                    None
                }
                Place::Waiting(ticket) => match ticket.turn() {
                    Some(turn) => Some(turn),
                    None => return Poll::Pending,
                },
                Place::Interrupted(..) => {
                    let Place::Interrupted(turn, waker) = std::mem::replace(&mut self.place, Place::Free) else {
                        return Poll::Pending;
                    };
                    match turn.offer(self.account.place(), waker) {
                        Ok(turn) => Some(turn),
                        Err(ticket) => {
                            self.place = Place::Waiting(ticket);
                            return Poll::Pending;
                        }
                    }
                }
            };
            self.place = Place::Free;
            if let Some(pause) = self.account.bandwidth.wait() {
                self.place = Place::Stopped(Box::pin(tokio::time::sleep(pause)));
                continue;
            }
            if turn.is_some() || self.account.may_pass() {
                return Poll::Ready(turn);
            }
            match self.account.queue(context.waker().clone()) {
                Ok(turn) => return Poll::Ready(Some(turn)),
                Err(ticket) => self.place = Place::Waiting(ticket),
            }
        }
    }

    /// Takes a place for what `waker` wakes.
    fn interrupted(&mut self, turn: Option<Turn>, waker: Waker) {
        let turn = match turn {
            Some(turn) => Ok(turn),
            None => self.account.queue(waker.clone()),
        };
        self.place = match turn {
            Ok(turn) => {
                wake_after_reactor(&waker);
                Place::Interrupted(turn, waker)
            }
            Err(ticket) => Place::Waiting(ticket),
        };
    }
}

impl<F: Future> Future for Charged<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let turn = ready!(self.leave(context));
        let Self { work, account, .. } = &mut *self;
        // Left by a poll that panicked.
        drop(INTERRUPTED.take());
        let polled = account.charge(|| work.as_mut().poll(context));
        if let Some(waker) = INTERRUPTED.take()
            && polled.is_pending()
        {
            self.interrupted(turn, waker);
        }
        polled
    }
}
