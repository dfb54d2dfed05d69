//! Work that is charged to a guest.

use crate::engine::EngineHost;
use crate::limits::Usage;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A future whose polls count as a guest's CPU time, keep the epoch ticking, and give panics of host functions as errors.
pub(crate) struct Metered<F> {
    work: Pin<Box<F>>,
    engine: Arc<EngineHost>,
    usage: Arc<Usage>,
}

impl<F: Future> Metered<F> {
    pub fn new(work: F, engine: Arc<EngineHost>, usage: Arc<Usage>) -> Self {
        Self { work: Box::pin(work), engine, usage }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, engine, usage } = &mut *self;
        let polling = engine.ticker.polling();
        let polled = usage.charge(|| catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))));
        drop(polling);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
