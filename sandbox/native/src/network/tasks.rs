//! Tasks of the host that work for one guest: on its bill, and no longer than it.

use crate::limits::{Account, Charged};
use hickory_resolver::net::runtime::Spawn;
use hyper::rt::Executor;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

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
