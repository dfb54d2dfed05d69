//! A guest that serves HTTP: the listener in its pod's network, the clients' connections, and the guest's instances.
//!
//! | file | owns |
//! |---|---|
//! | `settings` | what the pod and the node ask for |
//! | `listener` | the listening socket |
//! | `phase` | serving, draining, closing, ended |
//! | `connection`, `patience` | one client's connection, and how long it may keep it waiting |
//! | `handler`, `body`, `turns` | from a request to its response |
//! | `handling`, `instances` | the guest's work on one request |
//!
//! A request is handled by the task of its connection: no other task, queue or lock lies between a client and the guest, and a
//! client that goes away takes the guest's work with it.

mod body;
mod connection;
mod handler;
mod handling;
mod instances;
mod listener;
mod patience;
mod phase;
mod settings;
mod turns;

pub(crate) use settings::{Address, Settings};

use crate::engine::EngineHost;
use crate::events::Kind;
use crate::failure::{Result, one_line};
use crate::guest::End;
use crate::host::Host;
use crate::metered::Metered;
use crate::network::Network;
use crate::panics;
use crate::recipe::Recipe;
use crate::run::in_words;
use handling::Failed;
use instances::Instances;
use phase::{Phase, Phases};
use std::fmt::Arguments;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use turns::Turns;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// Pause after an accept that failed for want of descriptors or memory.
const BREATH: Duration = Duration::from_millis(50);

/// What a connection takes of the host: hyper's first buffers, the task and its timer, in bytes.
const CONNECTION: u64 = 16 << 10;

/// Numbers of one server.
#[derive(Default)]
pub(crate) struct Counters {
    pub answered: AtomicU64,
    /// Not answered by the guest's fault.
    pub failed: AtomicU64,
    pub turned_away: AtomicU64,
}

/// A server, from the making of its guest to its end.
pub(crate) struct Server {
    pub counters: Counters,
    engine: Arc<EngineHost>,
    program: ProxyPre<Host>,
    recipe: Recipe,
    network: Arc<Network>,
    address: Address,
    settings: Settings,
    phases: Arc<Phases>,
    turns: Arc<Turns>,
    instances: Instances,
    connections: AtomicUsize,
    /// A connection has ended.
    room: Notify,
    tasks: TaskTracker,
    /// Why the whole guest has to end.
    fatal: Mutex<Option<End>>,
}

impl Server {
    pub fn new(
        engine: Arc<EngineHost>,
        program: ProxyPre<Host>,
        recipe: Recipe,
        network: Arc<Network>,
        settings: Settings,
    ) -> Result<Arc<Self>> {
        let address = settings.check()?;
        Ok(Arc::new(Self {
            counters: Counters::default(),
            turns: Arc::new(Turns::new(&settings)),
            instances: Instances::new(&settings),
            engine,
            program,
            recipe,
            network,
            address,
            settings,
            phases: Arc::default(),
            connections: AtomicUsize::new(0),
            room: Notify::new(),
            tasks: TaskTracker::new(),
            fatal: Mutex::default(),
        }))
    }

    /// Listens; clients are served once [`Server::run`] is polled. Must be called inside the runtime's context.
    pub fn listen(&self) -> Result<TcpListener> {
        listener::listen(&self.network, self.address)
    }

    /// Stops taking connections after the drain, and ends when all requests have.
    pub fn stop(&self) {
        self.phases.advance(Phase::Draining);
    }

    /// Requests in progress, connections, instances.
    pub fn present(&self) -> [u64; 3] {
        [self.turns.taken() as u64, self.connections.load(Ordering::Relaxed) as u64, self.instances.count()]
    }

    /// Serves until it was stopped or has to end. Whoever drops this calls [`Server::end`].
    pub async fn run(self: &Arc<Self>, listener: TcpListener) -> End {
        let accepting = async {
            tokio::select! {
                biased;
                () = self.accept(&listener) => {}
                () = self.drained() => {}
            }
            // Those that the kernel has completed belong to clients which know nothing of the end.
            while let Some(stream) = listener::accept_now(&listener) {
                self.serve(stream);
            }
            drop(listener);
            self.phases.advance(Phase::Closing);
            self.tasks.close();
            self.tasks.wait().await;
        };
        tokio::select! {
            biased;
            () = self.phases.reached(Phase::Ended) => {}
            () = accepting => {}
        }
        let fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner).take();
        fatal.unwrap_or(End { kind: Kind::Exited, code: 0, text: String::new() })
    }

    /// Stops whatever still runs, and waits until it has.
    pub async fn end(&self) {
        self.phases.advance(Phase::Ended);
        self.tasks.close();
        self.tasks.wait().await;
        self.instances.end_idle();
    }

    async fn drained(&self) {
        self.phases.reached(Phase::Draining).await;
        tokio::time::sleep(self.settings.drain()).await;
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut sweep = tokio::time::interval(self.settings.reuse_idle());
        let mut told = false;
        loop {
            let full = self.connections.load(Ordering::Relaxed) >= self.settings.max_connections as usize;
            tokio::select! {
                accepted = listener.accept(), if !full => match accepted {
                    Ok((stream, _)) => {
                        told = false;
                        self.serve(stream);
                    }
                    Err(error) if listener::is_of_connection(&error) => {}
                    Err(error) => {
                        if !std::mem::replace(&mut told, true) {
                            self.log(format_args!("atoll: a connection cannot be accepted: {error}"));
                        }
                        tokio::time::sleep(BREATH).await;
                    }
                },
                () = self.room.notified(), if full => {}
                _ = sweep.tick(), if self.settings.reuse_requests > 1 => self.instances.end_old(),
            }
        }
    }

    fn serve(self: &Arc<Self>, stream: TcpStream) {
        // Without room for it the client sees its connection end; the guest is not to blame for its clients.
        let Ok(held) = self.recipe.account.hold(CONNECTION) else { return };
        self.connections.fetch_add(1, Ordering::Relaxed);
        let open = Open(self.clone());
        let connection = connection::serve(self.clone(), stream);
        self.spawn(async move {
            connection.await;
            drop((open, held));
        });
    }

    /// Runs `work` as a task that is charged to the guest, until [`Phase::Ended`] has come at the latest.
    fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let server = self.clone();
        let metered = Metered::new(work, self.engine.clone(), self.recipe.account.clone());
        let task = async move {
            let done = tokio::select! {
                biased;
                () = server.phases.reached(Phase::Ended) => return,
                done = metered => done,
            };
            if let Err(panic) = done {
                let text = panics::text(&*panic);
                server.log(format_args!("atoll: a connection was ended by a bug of the engine: {text}"));
            }
        };
        self.tasks.spawn_on(task, &self.engine.handle);
    }

    /// Puts the failure of one request into words, and ends the guest if it has crossed its memory limit.
    fn failed(&self, failed: Failed) {
        let end = in_words(Ok(Err(failed.error)), failed.entered);
        match end.kind {
            Kind::OutOfMemory => {
                *self.fatal.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
                self.phases.advance(Phase::Ended);
            }
            Kind::Exited => {
                self.failed_to_answer(format_args!("the guest exited with {} while it handled a request", end.code));
            }
            _ => {
                self.counters.failed.fetch_add(1, Ordering::Relaxed);
                self.write(&end.text);
            }
        }
    }

    /// Counts and logs a request that the guest did not do right by.
    fn failed_to_answer(&self, how: Arguments<'_>) {
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        self.log(format_args!("atoll: {how}"));
    }

    /// Writes one line to the guest's standard error.
    fn log(&self, line: Arguments<'_>) {
        self.write(&one_line(&line.to_string()));
    }

    fn write(&self, text: &str) {
        // If the log is full or closed, the counters still tell.
        drop(self.recipe.stderr.push(format!("{text}\n").as_bytes()));
    }
}

/// An open connection.
struct Open(Arc<Server>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
        self.0.room.notify_one();
    }
}
