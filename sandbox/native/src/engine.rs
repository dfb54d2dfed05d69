//! One engine: Wasmtime's settings, the runtime that polls guests, and how many guests there may be.

use crate::events::Events;
use crate::failure::{Code, Failure, Result, one_line};
use crate::files::Census;
use crate::jobs::Jobs;
use crate::linking::Linkers;
use crate::ticker::Ticker;
use crate::view::Template;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

/// The version of Wasmtime that is linked in.
const WASMTIME: &str = "48.0.8";
/// Memory maps left to the process besides the pool: exceeding `vm.max_map_count` kills a JVM.
const SPARE_MAPS: usize = 8192;
/// Memory maps of one slot: 2 for its stack from the start, 4 more once it was used.
const MAPS_PER_SLOT: usize = 6;
/// Slots that fit the address space with 4 GiB each; beyond, memories are smaller and loads need bounds checks.
const ROOMY_SLOTS: usize = 20_000;
/// Threads for streams that are files, which may hang on a network file system.
const BLOCKING_THREADS: usize = 512;

/// `atoll_engine_new`'s request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    max_guests: usize,
    #[serde(default)]
    workers: usize,
}

/// `atoll_engine_describe`'s answer.
#[derive(Serialize)]
struct Description<'a> {
    wasmtime: &'a str,
    compatibility: &'a str,
    slots: usize,
    live: usize,
    modules: usize,
    views: usize,
}

pub(crate) struct EngineHost {
    pub id: u64,
    pub wasmtime: Engine,
    pub linkers: Linkers,
    pub events: Events,
    pub ticker: Ticker,
    /// Compilations, at most one per core.
    pub compile: Jobs,
    /// Mapping of compiled code.
    pub map: Jobs,
    pub handle: Handle,
    /// Of the threads that do file operations.
    pub census: Arc<Census>,
    runtime: Mutex<Option<Runtime>>,
    template: OnceLock<Template>,
    closed: AtomicBool,
    slots: usize,
    taken: Arc<AtomicUsize>,
    live: Arc<AtomicUsize>,
    compatibility: String,
}

/// An instance's place among the engine's slots, given back when dropped.
pub(crate) struct Slot(#[expect(dead_code, reason = "counts until it is dropped")] Counted);

/// A guest that has not ended.
pub(crate) struct Living(#[expect(dead_code, reason = "counts until it is dropped")] Counted);

/// One of what a number counts.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EngineHost {
    pub fn new(id: u64, request: &Request) -> Result<Arc<Self>> {
        let internal = |error: wasmtime::Error| {
            Failure::new(Code::Internal, one_line(&format!("the engine cannot be made: {error:#}")))
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let slots = slots(request.max_guests)?;
        let wasmtime = Engine::new(&config(slots)).map_err(internal)?;
        let linkers = Linkers::new(&wasmtime).map_err(internal)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(if request.workers == 0 { cores } else { request.workers.min(256) })
            .max_blocking_threads(BLOCKING_THREADS)
            // The reactor is looked at after every poll: a guest that spins yields each millisecond, and 61 of those
            // would be the default wait of everything else.
            .event_interval(1)
            .thread_name("atoll-worker")
            .enable_all()
            .build()
            .map_err(|error| Failure::io("cannot start the engine's workers", error))?;
        let ticker = Ticker::start(&wasmtime).map_err(|error| Failure::io("cannot start the engine's clock", error))?;
        Ok(Arc::new(Self {
            id,
            compatibility: compatibility(&wasmtime),
            linkers,
            events: Events::default(),
            ticker,
            compile: Jobs::new("atoll-compile", cores),
            map: Jobs::new("atoll-map", 1),
            handle: runtime.handle().clone(),
            census: Arc::default(),
            runtime: Mutex::new(Some(runtime)),
            template: OnceLock::new(),
            closed: AtomicBool::new(false),
            slots,
            taken: Arc::default(),
            live: Arc::default(),
            wasmtime,
        }))
    }

    /// Takes a slot for an instance, or refuses: the pool is never exceeded.
    pub fn slot(&self) -> Result<Slot> {
        self.check_open()?;
        let more = |taken: usize| (taken < self.slots).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map(|_| Slot(Counted(self.taken.clone()))).map_err(|taken| {
            Failure::new(
                Code::Exhausted,
                format!(
                    "no room for another guest: {taken} live of at most {}; end some, or raise vm.max_map_count (6 for each \
                     guest and {SPARE_MAPS} to spare) and restart",
                    self.slots
                ),
            )
        })
    }

    /// Counts a guest until the result is dropped.
    pub fn living(&self) -> Living {
        self.live.fetch_add(1, Ordering::Relaxed);
        Living(Counted(self.live.clone()))
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
            slots: self.slots,
            live: self.live.load(Ordering::Relaxed),
            modules,
            views,
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

/// How many guests fit: what was asked for, never more than the process's memory maps allow.
fn slots(asked: usize) -> Result<usize> {
    let path = "/proc/sys/vm/max_map_count";
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(format!("cannot read {path}"), error))?;
    let maps: usize =
        text.trim().parse().map_err(|_| Failure::new(Code::Io, format!("{path} holds no number: {text:?}")))?;
    let fitting = maps.saturating_sub(SPARE_MAPS) / MAPS_PER_SLOT;
    let slots = if asked == 0 { fitting.min(ROOMY_SLOTS) } else { asked.min(fitting) };
    if slots == 0 {
        return Err(Failure::new(
            Code::Exhausted,
            format!(
                "vm.max_map_count is {maps}, too small for even one guest; set it to at least {}",
                SPARE_MAPS + 1000 * MAPS_PER_SLOT
            ),
        ));
    }
    Ok(slots)
}

/// Reasons and measurements of these settings are in the project's engine notes; sizes are in bytes.
fn config(slots: usize) -> Config {
    let (reservation, guard): (u64, u64) =
        if slots <= ROOMY_SLOTS { (4 << 30, 32 << 20) } else { (256 << 20, 64 << 10) };
    let count = u32::try_from(slots).unwrap_or(u32::MAX / 4);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count)
        .total_core_instances(count.saturating_mul(4))
        .total_memories(count)
        .total_stacks(count)
        .total_tables(count.saturating_mul(2))
        .total_gc_heaps(0)
        .max_memory_size(usize::try_from(reservation).unwrap_or(usize::MAX))
        .max_memories_per_module(8)
        .max_tables_per_module(8)
        .table_elements(100_000)
        .max_unused_warm_slots(100)
        .linear_memory_keep_resident(128 << 10)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(8 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        .memory_reservation(reservation)
        .memory_guard_size(guard)
        .parallel_compilation(true)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(40))
        // Line numbers would mean parsing a guest's debug information in this process when it traps.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
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
