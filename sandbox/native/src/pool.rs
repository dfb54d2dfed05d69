//! Pools of instances: Wasmtime's settings, and how many instances there may be.
//!
//! Commands and servers have a pool each. Wasmtime takes the stack and the tables that have been unused for longest, so a pool
//! goes round all slots that were ever used. A server, with a new instance for each request, would go round those of all
//! commands, and find each gone from the processor's caches.

use crate::failure::{Code, Failure, Result};
use crate::linking::Linkers;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

/// Memory maps left to the process besides the pools: exceeding `vm.max_map_count` kills a JVM.
const SPARE_MAPS: usize = 8192;
/// Memory maps of one slot: 2 for its stack from the start, 4 more once it was used.
const MAPS_PER_SLOT: usize = 6;
/// Memory maps to have for each guest: its own slot's, and those of a third of a server's.
const MAPS_PER_GUEST: usize = 8;
/// Slots that fit the address space with 4 GiB each; beyond, memories are smaller and loads need bounds checks.
const ROOMY_SLOTS: usize = 20_000;
/// The most slots for servers, which fit beside those.
const SERVER_SLOTS: usize = 8_000;

/// How many slots each pool has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub commands: usize,
    pub servers: usize,
}

impl Sizes {
    /// What was `asked` for (0: as many as possible), never more than the process's memory maps allow.
    pub fn new(asked: usize) -> Result<Self> {
        let path = "/proc/sys/vm/max_map_count";
        let text = std::fs::read_to_string(path).map_err(|error| Failure::io(format!("cannot read {path}"), error))?;
        let maps: usize =
            text.trim().parse().map_err(|_| Failure::new(Code::Io, format!("{path} holds no number: {text:?}")))?;
        Self::fitting(maps, asked)
    }

    fn fitting(maps: usize, asked: usize) -> Result<Self> {
        let guests = maps.saturating_sub(SPARE_MAPS) / MAPS_PER_GUEST;
        let commands = if asked == 0 { guests.min(ROOMY_SLOTS) } else { asked.min(guests) };
        let rest = guests * (MAPS_PER_GUEST - MAPS_PER_SLOT) / MAPS_PER_SLOT;
        let servers = commands.min(rest).min(SERVER_SLOTS);
        if servers == 0 {
            return Err(Failure::new(
                Code::Exhausted,
                format!(
                    "vm.max_map_count is {maps}, too small for guests; set it to at least {}",
                    SPARE_MAPS + 1000 * MAPS_PER_GUEST
                ),
            ));
        }
        Ok(Self { commands, servers })
    }

    /// Bytes of address space for each memory, and between two of them. It is the same for all pools, so that they can use the
    /// same compiled code.
    fn spacing(self) -> (u64, u64) {
        if self.commands <= ROOMY_SLOTS { (4 << 30, 32 << 20) } else { (256 << 20, 64 << 10) }
    }
}

/// A Wasmtime engine with its slots for instances.
pub(crate) struct Pool {
    pub wasmtime: Engine,
    pub linkers: Linkers,
    slots: usize,
    taken: Arc<AtomicUsize>,
}

/// An instance's place among the slots of its pool, given back when dropped.
pub(crate) struct Slot(#[expect(dead_code, reason = "counts until it is dropped")] Counted);

/// One of what a number counts.
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub fn new(number: &Arc<AtomicUsize>) -> Self {
        number.fetch_add(1, Ordering::Relaxed);
        Self(number.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub fn commands(sizes: Sizes) -> wasmtime::Result<Self> {
        Self::new(sizes.commands, sizes.spacing())
    }

    pub fn servers(sizes: Sizes) -> wasmtime::Result<Self> {
        Self::new(sizes.servers, sizes.spacing())
    }

    fn new(slots: usize, spacing: (u64, u64)) -> wasmtime::Result<Self> {
        let wasmtime = Engine::new(&config(slots, spacing))?;
        Ok(Self { linkers: Linkers::new(&wasmtime)?, wasmtime, slots, taken: Arc::default() })
    }

    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Takes a slot for an instance, or refuses: the pool is never exceeded.
    pub fn slot(&self) -> Result<Slot> {
        let more = |taken: usize| (taken < self.slots).then_some(taken + 1);
        let taken = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.map(|_| Slot(Counted(self.taken.clone()))).map_err(|taken| {
            Failure::new(
                Code::Exhausted,
                format!(
                    "no room for another guest: {taken} instances live of at most {}; end some, or raise vm.max_map_count \
                     ({MAPS_PER_GUEST} for each guest and {SPARE_MAPS} to spare) and restart",
                    self.slots
                ),
            )
        })
    }
}

/// Reasons and measurements of these settings are in ARCHITECTURE.md; sizes are in bytes.
fn config(slots: usize, (reservation, guard): (u64, u64)) -> Config {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_maps_decide_how_many_fit() {
        let sizes = |maps, asked| Sizes::fitting(maps, asked).ok();
        assert_eq!(sizes(8192 + 8000, 0), Some(Sizes { commands: 1000, servers: 333 }));
        assert_eq!(sizes(8192 + 8000, 64), Some(Sizes { commands: 64, servers: 64 }));
        assert_eq!(sizes(8192 + 8000, 5000), Some(Sizes { commands: 1000, servers: 333 }));
        assert_eq!(sizes(1 << 20, 0), Some(Sizes { commands: 20_000, servers: 8_000 }));
        assert_eq!(sizes(1 << 20, 100_000), Some(Sizes { commands: 100_000, servers: 8_000 }));
        assert_eq!(sizes(8192 + 16, 0), None);
        for maps in (9000..2_000_000).step_by(777) {
            let Sizes { commands, servers } = sizes(maps, 0).expect("room for some");
            assert!((commands + servers) * MAPS_PER_SLOT + SPARE_MAPS <= maps);
        }
    }

    #[test]
    fn pools_use_the_same_compiled_code() {
        let sizes = Sizes { commands: 10, servers: 5 };
        let (commands, servers) = (Pool::commands(sizes).expect("a pool"), Pool::servers(sizes).expect("a pool"));
        let code = commands.wasmtime.precompile_component(b"(component)").expect("compiled");
        // SAFETY: the code was just compiled by an engine of this process.
        let component = unsafe { wasmtime::component::Component::deserialize(&servers.wasmtime, code) };
        component.expect("code of the other pool");
    }

    #[test]
    fn a_pool_is_never_exceeded() {
        let pool = Pool::servers(Sizes { commands: 1, servers: 2 }).expect("a pool");
        let (first, _second) = (pool.slot().expect("the first"), pool.slot().expect("the second"));
        let failure = pool.slot().err().expect("no third");
        assert!(failure.text.contains("2 instances live of at most 2"), "{}", failure.text);
        drop(first);
        pool.slot().expect("the first one's place");
    }
}
