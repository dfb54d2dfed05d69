//! A guest's task: instantiate, call, put the outcome into words, drain, release, tell.

use crate::clock;
use crate::engine::EngineHost;
use crate::events::Kind;
use crate::failure::{one_line, shortened};
use crate::guest::{End, Guest, Kill, Prepared};
use crate::limits::{OutOfMemory, Usage};
use crate::panics;
use crate::stdio::Output;
use std::any::Any;
use std::fmt::Write;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Pauses between two looks for a reader of unread output.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LATER_LOOKS: Duration = Duration::from_millis(200);

/// Runs a guest from start to its end event. Spawned on the engine's workers.
pub(crate) async fn guest(guest: Arc<Guest>, prepared: Box<Prepared>) {
    let Prepared { host, entry, stdout, stderr, view, slot } = *prepared;
    let mut entered = false;
    let call = async {
        let mut store = Store::new(&guest.engine.wasmtime, host);
        store.limiter(|host| &mut host.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let outcome = entry
            .call(&mut store, || {
                entered = true;
                guest.entered_ns.store(clock::monotonic(), Ordering::Relaxed);
            })
            .await;
        drop(store);
        outcome
    };
    let metered = Metered { call: Box::pin(call), engine: &guest.engine, usage: &guest.usage };
    let outcome = unless_killed(&guest.kill, metered).await;
    let end = match outcome {
        Ok(outcome) => {
            let end = in_words(outcome, entered);
            if !end.text.is_empty() {
                // The text reaches the guest's own stderr, so that it is in the log; if that is closed, it is in the event.
                drop(stderr.push(format!("{}\n", end.text).as_bytes()));
            }
            match unless_killed(&guest.kill, drained(&stdout, &stderr)).await {
                Ok(()) => end,
                Err(signal) => End { kind: Kind::Signalled, code: signal, text: end.text },
            }
        }
        Err(signal) => End { kind: Kind::Signalled, code: signal, text: String::new() },
    };
    if end.kind == Kind::Signalled {
        stdout.discard();
        stderr.discard();
    }
    let keepers = [stdout.keeper(), stderr.keeper()];
    drop((entry, stdout, stderr, view, slot));
    guest.unread.keep(keepers.into_iter().flatten());
    if !guest.unread.settle() {
        drop(tokio::spawn(until_read(Arc::downgrade(&guest))));
    }
    guest.ended(end);
}

/// Looks for readers of what the guest wrote last, until there were some or the guest is dropped.
async fn until_read(guest: Weak<Guest>) {
    let mut pause = FIRST_LOOK;
    loop {
        tokio::time::sleep(pause).await;
        if guest.upgrade().is_none_or(|guest| guest.unread.settle()) {
            return;
        }
        pause = (pause * 2).min(LATER_LOOKS);
    }
}

async fn drained(stdout: &Output, stderr: &Output) {
    stdout.drained().await;
    stderr.drained().await;
}

/// Polls `work` until it is done or the guest is to be killed; `work` is dropped where it stands.
async fn unless_killed<T>(kill: &Kill, work: impl Future<Output = T>) -> Result<T, i32> {
    let (mut killed, mut work) = (pin!(kill.requested()), pin!(work));
    poll_fn(|context| {
        if let Poll::Ready(signal) = killed.as_mut().poll(context) {
            return Poll::Ready(Err(signal));
        }
        work.as_mut().poll(context).map(Ok)
    })
    .await
}

/// A guest's call: each poll counts its CPU time, keeps the epoch ticking, and catches panics of host functions.
struct Metered<'a, T> {
    call: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    engine: &'a EngineHost,
    usage: &'a Usage,
}

impl<T> Future for Metered<'_, T> {
    type Output = Result<T, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polling = self.engine.ticker.polling();
        let before = clock::thread_cpu();
        let polled = catch_unwind(AssertUnwindSafe(|| self.call.as_mut().poll(context)));
        self.usage.cpu_ns.fetch_add(clock::thread_cpu().saturating_sub(before), Ordering::Relaxed);
        drop(polling);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

fn in_words(outcome: Result<wasmtime::Result<i32>, Box<dyn Any + Send>>, entered: bool) -> End {
    let exited = |status: i32| End { kind: Kind::Exited, code: status & 0xff, text: String::new() };
    let error = match outcome {
        Ok(Ok(status)) => return exited(status),
        Ok(Err(error)) => error,
        Err(panic) => {
            let text = format!("atoll: the guest was ended by a bug of the engine: {}", panics::text(&*panic));
            return End { kind: Kind::Failed, code: 0, text };
        }
    };
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return exited(*status);
    }
    if let Some(full) = error.downcast_ref::<OutOfMemory>() {
        return End { kind: Kind::OutOfMemory, code: 0, text: format!("atoll: {full}") };
    }
    let trap = error.downcast_ref::<Trap>();
    if trap.is_none() && !entered {
        let text = format!("atoll: the guest could not be instantiated: {}", one_line(&format!("{error:#}")));
        return End { kind: Kind::Failed, code: 0, text };
    }
    let cause = match trap {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    };
    let mut text = format!("atoll: the guest trapped: {}", one_line(&cause));
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        // Names are the guest's own and of any length.
        for line in backtrace.to_string().lines().take(160) {
            let line: String =
                line.chars().map(|character| if character.is_control() { '?' } else { character }).collect();
            write!(text, "\n{}", shortened(&line, 400)).unwrap_or_default();
        }
    }
    End { kind: Kind::Trapped, code: 0, text }
}
