//! A guest's task: instantiate, call, put the outcome into words, drain, release, tell.

use crate::clock;
use crate::entry::Entry;
use crate::events::Kind;
use crate::failure::{one_line, shortened};
use crate::guest::{End, Guest, Job, Kill, Running};
use crate::host::Host;
use crate::limits::OutOfMemory;
use crate::metered::Metered;
use crate::panics;
use crate::recipe;
use crate::serve::Server;
use crate::stdio::{Keeper, Terminal};
use std::any::Any;
use std::fmt::Write;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Pauses between two looks for a reader of unread output.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LATER_LOOKS: Duration = Duration::from_millis(200);

/// Runs a guest from start to its end event. Spawned on the engine's workers.
pub(crate) async fn guest(guest: Arc<Guest>, running: Running) {
    let Running { work, streams, terminal, view, living } = running;
    let client = terminal.map(|terminal| Client::attach(terminal, &guest));
    let (end, slot) = match work {
        Job::Call(host, entry, slot) => (called(&guest, *host, entry).await, Some(slot)),
        Job::Serve(server, listener) => (served(&guest, server, listener).await, None),
    };
    let mut end = match end {
        Ok(end) => {
            if !end.text.is_empty() {
                // The text reaches the guest's own stderr, so that it is in the log; if that is closed, it is in the event.
                drop(streams.stderr.push(format!("{}\n", end.text).as_bytes()));
            }
            match unless_killed(&guest.kill, streams.drained()).await {
                Ok(()) => end,
                Err(signal) => signalled(signal, end.text),
            }
        }
        Err(signal) => signalled(signal, String::new()),
    };
    if end.kind == Kind::Signalled {
        streams.discard();
    }
    let mut keepers: Vec<_> = streams.keepers().collect();
    drop((streams, view, slot));
    if let Some(client) = client {
        keepers.extend(client.detach(&guest, &mut end).await);
    }
    keep(&guest, keepers);
    drop(living);
    guest.ended(end);
}

/// Calls the entry of a command; the signal if it was killed.
async fn called(guest: &Guest, host: Host, entry: Entry) -> Result<End, i32> {
    let entered = AtomicBool::new(false);
    let call = async {
        let mut store = recipe::store(entry.engine(), host)?;
        let outcome = entry
            .call(&mut store, || {
                entered.store(true, Ordering::Relaxed);
                guest.entered_ns.store(clock::monotonic(), Ordering::Relaxed);
            })
            .await;
        drop(store);
        outcome
    };
    let metered = Metered::new(call, guest.engine.clone(), guest.account.clone());
    let outcome = unless_killed(&guest.kill, metered).await?;
    Ok(in_words(outcome, entered.load(Ordering::Relaxed)))
}

/// Serves until the server was stopped; the signal if it was killed.
async fn served(guest: &Guest, server: Arc<Server>, listener: TcpListener) -> Result<End, i32> {
    guest.entered_ns.store(clock::monotonic(), Ordering::Relaxed);
    let end = unless_killed(&guest.kill, server.run(listener)).await;
    server.end().await;
    guest.settle_figures();
    end
}

/// Lets readers that are away see the end of the guest's streams, which are closed.
pub(crate) fn keep(guest: &Arc<Guest>, keepers: Vec<Keeper>) {
    guest.unread.keep(keepers.into_iter());
    if !guest.unread.settle() {
        drop(guest.engine.handle.spawn(until_read(Arc::downgrade(guest))));
    }
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

fn signalled(signal: i32, text: String) -> End {
    End { kind: Kind::Signalled, code: signal, text }
}

/// Who sits at a guest's terminal, and the task that moves bytes between the two.
struct Client {
    terminal: Arc<Terminal>,
    pump: JoinHandle<()>,
}

impl Client {
    fn attach(terminal: Arc<Terminal>, guest: &Arc<Guest>) -> Self {
        let (guest, pumped) = (Arc::downgrade(guest), terminal.clone());
        let typed = move |signal| {
            if let Some(guest) = guest.upgrade() {
                // One that has ended meanwhile needs no signal.
                drop(guest.stop(signal));
            }
        };
        Self { terminal, pump: tokio::spawn(async move { pumped.pump(typed).await }) }
    }

    /// Waits until the client has what the guest wrote, unless the guest is killed; its streams are closed already.
    async fn detach(mut self, guest: &Guest, end: &mut End) -> Option<Keeper> {
        if end.kind != Kind::Signalled
            && let Err(signal) = unless_killed(&guest.kill, &mut self.pump).await
        {
            *end = signalled(signal, std::mem::take(&mut end.text));
        }
        if end.kind == Kind::Signalled {
            self.pump.abort();
            drop(self.pump.await);
            self.terminal.flush();
        }
        self.terminal.keeper()
    }
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

/// How a guest's call ended; `entered` tells whether its code ran.
pub(crate) fn in_words(outcome: Result<wasmtime::Result<i32>, Box<dyn Any + Send>>, entered: bool) -> End {
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
