//! One engine: the pools of instances, the runtime that polls guests, and the limits of the node.

use crate::allocator::Tidying;
use crate::events::Events;
use crate::failure::{Code, Failure, Result, one_line};
use crate::files::Census;
use crate::jobs::Jobs;
use crate::limits::{self, Node};
use crate::pool::{Counted, Pool, Sizes, Slot};
use crate::ticker::Ticker;
use crate::view::Template;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime::Engine;

/// The version of Wasmtime that is linked in.
const WASMTIME: &str = "48.0.8";
/// Threads for streams that are files, which may hang on a network file system.
const BLOCKING_THREADS: usize = 512;

/// Compilations at a time.
const COMPILATIONS: usize = 4;
/// How much nicer than guests and the daemon compilers are: they get a tenth of what those do.
const COMPILING: i32 = 10;

/// `atoll_engine_new`'s request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    max_guests: usize,
    #[serde(default)]
    workers: usize,
    /// Bytes for all guests together; 0 is no limit.
    #[serde(default)]
    memory: u64,
}

/// `atoll_engine_describe`'s answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'a> {
    wasmtime: &'a str,
    compatibility: &'a str,
    slots: usize,
    live: usize,
    modules: usize,
    views: usize,
    memory_limit: u64,
    memory_used: u64,
}

pub(crate) struct EngineHost {
    pub id: u64,
    pub commands: Pool,
    pub servers: Pool,
    pub events: Events,
    pub ticker: Ticker,
    pub limits: Node,
    /// Compilations: few at a time, since each uses many threads.
    pub compile: Jobs,
    /// Threads of one compilation.
    pub compilers: usize,
    /// Mapping of compiled code.
    pub map: Jobs,
    pub handle: Handle,
    pub tidying: Tidying,
    /// Of the threads that do file operations.
    pub census: Arc<Census>,
    runtime: Mutex<Option<Runtime>>,
    template: OnceLock<Template>,
    closed: AtomicBool,
    live: Arc<AtomicUsize>,
    compatibility: String,
}

/// A guest that has not ended.
pub(crate) struct Living(#[expect(dead_code, reason = "counts until it is dropped")] Counted);

impl EngineHost {
    pub fn new(id: u64, request: &Request) -> Result<Arc<Self>> {
        let internal = |error: wasmtime::Error| {
            Failure::new(Code::Internal, one_line(&format!("the engine cannot be made: {error:#}")))
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = if request.workers == 0 { cores } else { request.workers.min(256) };
        let sizes = Sizes::new(request.max_guests)?;
        let commands = Pool::commands(sizes).map_err(internal)?;
        let servers = Pool::servers(sizes).map_err(internal)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers)
            .max_blocking_threads(BLOCKING_THREADS)
            // Not the usual 61: a poll may take a while. A guest that a tick interrupted goes on after the reactor was looked at,
            // whatever this is.
            .event_interval(8)
            .thread_name("atoll-worker")
            .enable_all()
            .build()
            .map_err(|error| Failure::io("cannot start the engine's workers", error))?;
        let ticker = Ticker::start([&commands.wasmtime, &servers.wasmtime])
            .map_err(|error| Failure::io("cannot start the engine's clock", error))?;
        Ok(Arc::new(Self {
            id,
            compatibility: compatibility(&commands.wasmtime),
            commands,
            servers,
            events: Events::default(),
            ticker,
            limits: Node::new(request.memory, workers),
            compile: Jobs::new("atoll-compile", cores.min(COMPILATIONS), COMPILING),
            compilers: cores,
            map: Jobs::new("atoll-map", 1, 0),
            handle: runtime.handle().clone(),
            tidying: Tidying::start(runtime.handle()),
            census: Arc::default(),
            runtime: Mutex::new(Some(runtime)),
            template: OnceLock::new(),
            closed: AtomicBool::new(false),
            live: Arc::default(),
        }))
    }

    /// Takes a slot for an instance in one of the pools.
    pub fn slot(&self, pool: &Pool) -> Result<Slot> {
        self.check_open()?;
        pool.slot()
    }

    /// Refuses a guest called `name` that begins with `initial` bytes of memory if the node's budget has no room for it.
    /// `limit` is its container's; 0 is none.
    pub fn admit(&self, name: &str, initial: u64, limit: u64) -> Result<()> {
        let wanted = initial.saturating_add(limits::INSTANCE);
        // One that would cross its own limit first is told so by its end.
        let wanted = if limit == 0 { wanted } else { wanted.min(limit) };
        let memory = &self.limits.memory;
        if wanted <= memory.room() {
            return Ok(());
        }
        Err(Failure::new(
            Code::Exhausted,
            format!(
                "no memory for another guest: {name} begins with {wanted} bytes, and the guests of this node use {} of {}; end \
                 some, or raise limits.memory in Atoll's configuration",
                memory.used(),
                memory.limit()
            ),
        ))
    }

    /// Counts a guest until the result is dropped.
    pub fn living(&self) -> Living {
        Living(Counted::new(&self.live))
    }

    /// The mount namespace that views are copied from, made at first use.
    pub fn template(&self) -> Result<&Template> {
        self.check_open()?;
        if let Some(template) = self.template.get() {
            return Ok(template);
        }
        let made = Template::new()?;
        Ok(self.template.get_or_init(|| made))
    }

    pub fn describe(&self, modules: usize, views: usize) -> Result<String> {
        let description = Description {
            wasmtime: WASMTIME,
            compatibility: &self.compatibility,
            slots: self.commands.slots(),
            live: self.live.load(Ordering::Relaxed),
            modules,
            views,
            memory_limit: self.limits.memory.limit(),
            memory_used: self.limits.memory.used(),
        };
        serde_json::to_string(&description).map_err(|error| Failure::new(Code::Internal, error.to_string()))
    }

    pub fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Refuses new guests, views and modules from now on.
    pub fn refuse_more(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::SeqCst) {
            return Err(Failure::state("the engine is being closed already"));
        }
        self.compile.close();
        self.map.close();
        Ok(())
    }

    /// Ends the workers; a file operation that hangs is left behind after a second.
    pub fn shut_down(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        self.events.wake();
    }

    pub fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Failure::state("the engine is being closed; nothing new is accepted"));
        }
        Ok(())
    }
}

/// Names everything that compiled code depends on.
fn compatibility(engine: &Engine) -> String {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, WASMTIME).hash(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half(1), half(2))
}
