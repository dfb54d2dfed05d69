//! How long somebody is waited for, where the wait begins anew each time they do something.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// A limit on the time between two results. Its timer is set only while a result is waited for.
pub(crate) struct Waiting {
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub fn new(patience: Duration) -> Self {
        Self { patience, timer: None }
    }

    /// What was `polled`; `None` once it has been pending for too long.
    pub fn poll<T>(&mut self, context: &mut Context<'_>, polled: Poll<T>) -> Poll<Option<T>> {
        match polled {
            Poll::Ready(result) => {
                self.timer = None;
                Poll::Ready(Some(result))
            }
            Poll::Pending => {
                let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.patience)));
                timer.as_mut().poll(context).map(|()| None)
            }
        }
    }
}
