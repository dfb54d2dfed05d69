//! The threads that do a guest's file operations.
//!
//! wasmtime-wasi does every operation by `spawn_blocking`, on the runtime whose context it is polled in. Each guest has one of
//! its own for that: a runtime that runs no task and has only blocking threads, which are the guest's user to the kernel from
//! their first instruction. An operation that hangs (a dead NFS server, a FIFO without a writer) holds a thread of its own
//! guest and no other's.

use super::User;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::Notify;

/// Threads of one guest: as many operations go on at the same time, the others wait.
const OF_A_GUEST: usize = 16;
/// Threads of all guests, about; each takes two memory maps.
const IN_ALL: usize = 2048;
/// How long an unused thread is kept. A new one takes some 50 µs.
const KEPT: Duration = Duration::from_millis(200);
/// Bytes; the kernel's work is not done on it.
const STACK: usize = 256 << 10;

/// How many file threads an engine has.
#[derive(Default)]
pub(crate) struct Census {
    threads: AtomicUsize,
    ended: Notify,
}

impl Census {
    /// Waits until there is room for one more thread.
    async fn room(&self) {
        while self.threads.load(Ordering::Relaxed) >= IN_ALL {
            let mut ended = pin!(self.ended.notified());
            ended.as_mut().enable();
            if self.threads.load(Ordering::Relaxed) >= IN_ALL {
                ended.await;
            }
        }
    }
}

/// The file threads of one guest. When this is dropped they end, each after the operation that it is in.
pub(crate) struct FileThreads {
    user: User,
    census: Arc<Census>,
    /// Made at the first operation: most guests have none.
    runtime: OnceLock<Runtime>,
}

impl FileThreads {
    pub fn new(user: User, census: Arc<Census>) -> Self {
        Self { user, census, runtime: OnceLock::new() }
    }

    /// Polls `work` so that what it spawns as blocking runs on these threads.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        self.census.room().await;
        let mut work = pin!(work);
        std::future::poll_fn(|context| {
            let _inside = self.enter();
            work.as_mut().poll(context)
        })
        .await
    }

    /// What the calling thread spawns as blocking runs on these threads until the result is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.get_or_init(|| self.start()).enter()
    }

    /// Does `work` on these threads and gives its result.
    pub async fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.run(async { tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| resume(error)) }).await
    }

    /// Does `work` on these threads, some time.
    pub fn later(&self, work: impl FnOnce() + Send + 'static) {
        let _inside = self.enter();
        // Where no thread can be made, `spawn_blocking` panics and drops `work`, which is then done as far as dropping does it.
        drop(catch_unwind(AssertUnwindSafe(|| tokio::task::spawn_blocking(work))));
    }

    fn start(&self) -> Runtime {
        let (user, started, ended) = (self.user.clone(), self.census.clone(), self.census.clone());
        Builder::new_current_thread()
            .max_blocking_threads(OF_A_GUEST)
            .thread_keep_alive(KEPT)
            .thread_stack_size(STACK)
            .thread_name("atoll-files")
            .on_thread_start(move || {
                started.threads.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = user.assume() {
                    // Going on would do a guest's work as root.
                    eprintln!(
                        "level=error msg=\"a file thread cannot become its guest's user; ending\" error={error:?}"
                    );
                    std::process::abort();
                }
            })
            .on_thread_stop(move || {
                ended.threads.fetch_sub(1, Ordering::Relaxed);
                ended.ended.notify_waiters();
            })
            .build()
            .expect("a runtime without drivers needs nothing of the system")
    }
}

/// Does `work`, of a guest without files where there are no `threads`.
pub(super) async fn on<F: Future>(threads: Option<Arc<FileThreads>>, work: F) -> F::Output {
    match threads {
        Some(threads) => threads.run(work).await,
        None => work.await,
    }
}

/// A panic of a thread's work goes on where it was asked for.
fn resume(error: tokio::task::JoinError) -> ! {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => panic!("{error}"),
    }
}

impl Drop for FileThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Whether a thread of this process can become another user at all: asked once, before a guest depends on it.
pub(crate) fn can_change_user() -> std::io::Result<()> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("atoll-files".into());
        let tried = thread.spawn_scoped(scope, || User::nobody().assume())?;
        tried.join().unwrap_or_else(|_| Err(std::io::Error::other("its thread panicked")))
    })
}
