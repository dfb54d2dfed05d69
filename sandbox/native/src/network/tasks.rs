//! Tasks of the host that work for one guest: on its bill, and no longer than it.

use crate::limits::{Account, Charged, OutOfMemory};
use hickory_resolver::net::runtime::Spawn;
use hyper::rt::Executor;
use std::pin::Pin;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Work with the host's memory that it takes; `None` if the guest ended before it was done.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = Option<T>> + Send>>;

/// Starts tasks for one guest. Clones are the same.
#[derive(Clone)]
pub(crate) struct Tasks {
    account: Arc<Account>,
    end: CancellationToken,
}

impl Tasks {
    pub fn new(account: Arc<Account>) -> Self {
        Self { account, end: CancellationToken::new() }
    }

    /// Ends every task, now and later.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// `work`, on the guest's bill.
    pub fn charged<F: Future>(&self, work: F) -> Charged<F> {
        Charged::new(work, self.account.clone())
    }

    /// `work` until it is done or the guest has ended, on the guest's bill.
    pub fn until_end<F>(&self, work: F) -> impl Future<Output = Option<F::Output>> + use<F>
    where
        F: Future,
    {
        self.end.clone().run_until_cancelled_owned(self.charged(work))
    }

    /// `work` until it is done or the guest has ended, on the guest's bill, as are `bytes` of the host's memory until then; a
    /// guest may begin it any number of times.
    pub fn holding<F>(&self, bytes: u64, work: F) -> Result<Work<F::Output>, OutOfMemory>
    where
        F: Future + Send + 'static,
    {
        let held = self.account.hold(bytes)?;
        // Boxed: what was spawned keeps its place for the future until its result is taken.
        Ok(Box::pin(self.until_end(async move {
            let done = work.await;
            drop(held);
            done
        })))
    }

    /// Runs `work`, which may block on files, on a thread for such; `None` if the guest has ended.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let account = self.account.clone();
        let done = tokio::task::spawn_blocking(move || account.charge(work));
        self.end.run_until_cancelled(done).await?.ok()
    }

    fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        let work = self.until_end(work);
        drop(tokio::spawn(async move {
            // Done, or ended with the guest.
            let _: Option<()> = work.await;
        }));
    }
}

/// hyper's connections.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, work: F) {
        self.start(work);
    }
}

/// The resolver's exchanges.
impl Spawn for Tasks {
    fn spawn_bg(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.start(work);
    }
}
