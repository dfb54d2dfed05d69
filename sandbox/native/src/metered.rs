//! A guest's work.

use crate::engine::EngineHost;
use crate::limits::{Account, Charged};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future that is paid for, keeps the epoch ticking while it is polled, and gives panics of host functions as errors.
pub(crate) struct Metered<F> {
    work: Charged<F>,
    engine: Arc<EngineHost>,
}

impl<F: Future> Metered<F> {
    pub fn new(work: F, engine: Arc<EngineHost>, account: Arc<Account>) -> Self {
        Self { work: Charged::new(work, account), engine }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, engine } = &mut *self;
        let _polling = engine.ticker.polling();
        match catch_unwind(AssertUnwindSafe(|| Pin::new(work).poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
