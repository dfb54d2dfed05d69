//! The three streams of one guest, opened together.

use super::terminal::{Size, Terminal};
use super::{Input, Keeper, Output};
use crate::failure::{Failure, Result};
use crate::limits::Account;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::runtime::Handle;

/// Where the streams are, as paths of the caller; `None` is nothing.
pub(crate) struct Places<'a> {
    pub stdin: Option<&'a str>,
    pub stdout: Option<&'a str>,
    pub stderr: Option<&'a str>,
    /// Puts a terminal between the guest and `stdin` and `stdout`.
    pub terminal: Option<Size>,
}

/// Bytes that have left or come, counted while the guest runs and known afterwards.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    pub stdin: Arc<AtomicU64>,
    pub stdout: Arc<AtomicU64>,
    pub stderr: Arc<AtomicU64>,
}

/// What a guest reads and writes.
#[derive(Clone)]
pub(crate) struct Streams {
    pub stdin: Arc<Input>,
    pub stdout: Arc<Output>,
    pub stderr: Arc<Output>,
}

impl Streams {
    /// Opens the streams for as many instances as `writers`, which pay for what is not written yet. The last results: the client's side of the terminal, and a writer
    /// that keeps a stdin FIFO from ending.
    pub fn open(
        places: &Places<'_>,
        writers: usize,
        counts: &Counts,
        account: &Arc<Account>,
        runtime: &Handle,
    ) -> Result<(Self, Option<Arc<Terminal>>, Option<OwnedFd>)> {
        if places.terminal.is_some() && places.stderr.is_some() {
            return Err(Failure::invalid(
                "a terminal is one stream: with it, stdout is accepted and stderr is not; leave stderr out",
            ));
        }
        let _inside_runtime = runtime.enter();
        let (stdin, keeper) = Input::open(places.stdin, counts.stdin.clone(), runtime)?;
        let open =
            |stream, path, count: &Arc<AtomicU64>| Output::open(stream, path, writers, count.clone(), account, runtime);
        let stdout = open("stdout", places.stdout, &counts.stdout)?;
        let Some(size) = places.terminal else {
            let stderr = open("stderr", places.stderr, &counts.stderr)?;
            return Ok((Self { stdin, stdout, stderr }, None, keeper));
        };
        let (terminal, [stdin, stdout, stderr]) = Terminal::open(size, stdin, stdout)?;
        let uncounted = Arc::default;
        let own = Self {
            stdin: Input::of(Some(stdin), uncounted(), runtime),
            stdout: Output::of(Some(stdout), writers, uncounted(), account, runtime),
            stderr: Output::of(Some(stderr), writers, uncounted(), account, runtime),
        };
        Ok((own, Some(Arc::new(terminal)), keeper))
    }

    pub async fn drained(&self) {
        self.stdout.drained().await;
        self.stderr.drained().await;
    }

    pub fn discard(&self) {
        self.stdout.discard();
        self.stderr.discard();
    }

    pub fn keepers(&self) -> impl Iterator<Item = Keeper> + use<> {
        [self.stdout.keeper(), self.stderr.keeper()].into_iter().flatten()
    }
}
