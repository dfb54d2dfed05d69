//! The functions of `include/atoll_engine.h`, and the only place that touches the caller's pointers.

use crate::engine::{self, EngineHost};
use crate::events::RECORD;
use crate::failure::{Code, Failure, Result};
use crate::guest::{self, Guest};
use crate::module::{self, Program};
use crate::network::{Policy, PolicyRequest};
use crate::registry::{Registry, next_id};
use crate::stdio::Size;
use crate::view::{self, View};
use crate::{json, limits, panics};
use std::os::fd::IntoRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `ATOLL_ABI`.
const ABI: i64 = 5;

static ENGINES: Registry<EngineHost> = Registry::new("engine");
static VIEWS: Registry<View> = Registry::new("view");
static MODULES: Registry<Program> = Registry::new("module");
/// With the engine that each belongs to.
static POLICIES: Registry<(u64, Arc<Policy>)> = Registry::new("policy");
static GUESTS: Registry<Guest> = Registry::new("guest");

/// The caller's output buffer.
struct Out {
    start: *mut u8,
    room: usize,
}

impl Out {
    /// Copies as much of `bytes` as there is room for; the result is how many bytes there are.
    fn put(&self, bytes: &[u8]) -> i64 {
        let count = bytes.len().min(self.room);
        if count > 0 {
            // SAFETY: the caller of the C function promises `room` writable bytes at `start` until it returns, and `bytes`
            // is our own memory, so the two cannot overlap.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start, count) };
        }
        i64::try_from(bytes.len()).unwrap_or(i64::MAX)
    }

    fn fail(&self, failure: &Failure) -> i64 {
        if self.room > 0 {
            let mut end = failure.text.len().min(self.room - 1);
            while !failure.text.is_char_boundary(end) {
                end -= 1;
            }
            let mut text = failure.text.as_bytes()[..end].to_vec();
            text.push(0);
            self.put(&text);
        }
        failure.code as i64
    }
}

/// Defines one exported function: checks the pointers, catches panics, turns failures into codes and text.
macro_rules! guard {
    ($(#[$doc:meta])* $name:ident($a:ident, $b:ident, $input:ident, $out:ident) $body:block) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// `input` is NULL or points to `in_len` readable bytes, `out` is NULL or points to `out_cap` writable bytes, both
        /// until the call returns.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            $a: i64, $b: i64, input: *const u8, in_len: i64, out: *mut u8, out_cap: i64,
        ) -> i64 {
            let room = if out.is_null() { 0 } else { usize::try_from(out_cap).unwrap_or(0) };
            let $out = Out { start: out, room };
            let answer = catch_unwind(AssertUnwindSafe(|| -> Result<i64> {
                let length = usize::try_from(in_len).unwrap_or(0);
                let $input: &[u8] = if input.is_null() || length == 0 {
                    &[]
                } else {
                    // SAFETY: the caller promises `in_len` readable bytes at `input` until this function returns.
                    unsafe { std::slice::from_raw_parts(input, length) }
                };
                // Not every function uses every parameter; the shape is one for all.
                let _ = (&$a, &$b, &$input, &$out);
                $body
            }));
            match answer {
                Ok(Ok(value)) => value,
                Ok(Err(failure)) => $out.fail(&failure),
                Err(panic) => $out.fail(&Failure::new(
                    Code::Internal,
                    format!("a bug in {}: {}", stringify!($name), panics::text(&*panic)),
                )),
            }
        }
    };
}

fn signed(id: u64) -> i64 {
    id.cast_signed()
}

fn milliseconds(number: i64) -> Duration {
    Duration::from_millis(u64::try_from(number).unwrap_or(0))
}

fn signal(number: i64) -> Result<i32> {
    let signal = i32::try_from(number).ok().filter(|signal| (1..=64).contains(signal));
    signal.ok_or_else(|| Failure::invalid(format!("{number} is no signal number; 1 to 64 are accepted")))
}

guard! {
    /// The version of this interface.
    atoll_abi(a, b, input, out) { Ok(ABI) }
}

guard! {
    /// Makes an engine and its threads.
    atoll_engine_new(a, b, input, out) {
        panics::install_hook();
        let input = if input.is_empty() { b"{}".as_slice() } else { input };
        let request: engine::Request = json::request("engine", input)?;
        let id = next_id();
        ENGINES.insert(id, EngineHost::new(id, &request)?);
        Ok(signed(id))
    }
}

guard! {
    /// Describes an engine in JSON.
    atoll_engine_describe(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        let modules = MODULES.select(|program| program.engine.id == engine.id).len();
        let views = VIEWS.select(|view| view.engine == engine.id).len();
        Ok(out.put(engine.describe(modules, views)?.as_bytes()))
    }
}

guard! {
    /// Ends an engine: lets guests end for `b` milliseconds, kills the others, ends the threads.
    atoll_engine_close(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        engine.refuse_more()?;
        let deadline = Instant::now() + milliseconds(b.min(3_600_000));
        while engine.live() > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        let guests = GUESTS.select(|guest| guest.engine.id == engine.id);
        for guest in &guests {
            // One that ended meanwhile needs no kill.
            drop(guest.kill(libc::SIGKILL));
        }
        let patience = Instant::now() + Duration::from_secs(1);
        while engine.live() > 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
        engine.shut_down();
        ENGINES.remove(a)?;
        for guest in guests {
            drop(GUESTS.remove(signed(guest.id)));
        }
        for program in MODULES.select(|program| program.engine.id == engine.id) {
            drop(MODULES.remove(signed(program.id)));
        }
        POLICIES.retain(|(owner, _)| *owner != engine.id);
        for view in VIEWS.select(|view| view.engine == engine.id) {
            drop(VIEWS.remove(signed(view.id)));
        }
        engine.events.wake();
        Ok(0)
    }
}

guard! {
    /// Waits for events.
    atoll_poll(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        let most = out.room / RECORD;
        if most == 0 {
            return Err(Failure::invalid(format!("no room for an event: {} bytes given, {RECORD} are needed", out.room)));
        }
        let events = engine.events.poll(most, milliseconds(b));
        drop(engine);
        let events = events.ok_or_else(|| Failure::state("another thread is inside atoll_poll; only one may be"))?;
        let records: Vec<u8> = events.iter().flat_map(crate::events::Event::record).collect();
        out.put(&records);
        Ok(signed(events.len() as u64))
    }
}

guard! {
    /// Makes the present or next poll return.
    atoll_wake(a, b, input, out) {
        ENGINES.get(a)?.events.wake();
        Ok(0)
    }
}

guard! {
    /// Makes a view.
    atoll_view_new(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        let request: view::Request = json::request("view", input)?;
        let id = next_id();
        VIEWS.insert(id, Arc::new(View::new(id, engine.id, engine.template()?, &request)?));
        Ok(signed(id))
    }
}

guard! {
    /// Opens a regular file inside a view.
    atoll_view_open(a, b, input, out) {
        let view = VIEWS.get(a)?;
        let path = std::str::from_utf8(input).map_err(|_| Failure::invalid("the path is not UTF-8 text"))?;
        Ok(i64::from(view.open(path)?.into_raw_fd()))
    }
}

guard! {
    /// Lets go of a view.
    atoll_view_drop(a, b, input, out) {
        VIEWS.remove(a)?;
        Ok(0)
    }
}

guard! {
    /// Starts loading a module.
    atoll_module_load(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        engine.check_open()?;
        let request: module::Request = json::request("module", input)?;
        Ok(signed(Program::load(&engine, &MODULES, request)?))
    }
}

guard! {
    /// Describes a module in JSON.
    atoll_module_info(a, b, input, out) {
        Ok(out.put(MODULES.get(a)?.info()?.as_bytes()))
    }
}

guard! {
    /// Lets go of a module.
    atoll_module_drop(a, b, input, out) {
        MODULES.remove(a)?;
        Ok(0)
    }
}

guard! {
    /// Makes a policy.
    atoll_policy_new(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        let request: PolicyRequest = json::request("policy", input)?;
        let id = next_id();
        POLICIES.insert(id, Arc::new((engine.id, Arc::new(Policy::new(request)?))));
        Ok(signed(id))
    }
}

guard! {
    /// Makes a guest.
    atoll_guest_new(a, b, input, out) {
        let engine = ENGINES.get(a)?;
        let program = MODULES.get(b)?;
        if program.engine.id != engine.id {
            return Err(Failure::invalid(format!("module {b} belongs to another engine than {a}")));
        }
        let request: guest::Request = json::request("guest", input)?;
        let view = if request.view == 0 { None } else { Some(VIEWS.get(request.view)?) };
        let policy = request.network.as_ref().map_or(0, |network| network.policy);
        let policy = if policy == 0 { None } else { Some(POLICIES.get(policy)?.1.clone()) };
        let joined = if request.joins == 0 { None } else { Some(GUESTS.get(request.joins)?) };
        let id = next_id();
        GUESTS.insert(id, Guest::new(id, &program, view, policy, joined.as_deref(), &request)?);
        Ok(signed(id))
    }
}

guard! {
    /// Starts a guest.
    atoll_guest_start(a, b, input, out) {
        GUESTS.get(a)?.start()?;
        Ok(0)
    }
}

guard! {
    /// Changes the limits of a guest's container.
    atoll_guest_update(a, b, input, out) {
        let request: limits::Request = json::request("guest update", input)?;
        GUESTS.get(a)?.update(&request)?;
        Ok(0)
    }
}

guard! {
    /// Ends a guest at once.
    atoll_guest_kill(a, b, input, out) {
        GUESTS.get(a)?.kill(signal(b)?)?;
        Ok(0)
    }
}

guard! {
    /// Asks a guest to end.
    atoll_guest_stop(a, b, input, out) {
        GUESTS.get(a)?.stop(signal(b)?)?;
        Ok(0)
    }
}

guard! {
    /// Lets stdin end.
    atoll_guest_close_stdin(a, b, input, out) {
        GUESTS.get(a)?.close_stdin();
        Ok(0)
    }
}

guard! {
    /// Changes the size of a guest's terminal.
    atoll_guest_resize(a, b, input, out) {
        GUESTS.get(a)?.resize(Size::unpacked(b)?)?;
        Ok(0)
    }
}

guard! {
    /// Numbers of a guest.
    atoll_guest_stat(a, b, input, out) {
        let numbers: Vec<u8> = GUESTS.get(a)?.stat().iter().flat_map(|number| number.to_ne_bytes()).collect();
        Ok(out.put(&numbers))
    }
}

guard! {
    /// The text of a trap or failure.
    atoll_guest_text(a, b, input, out) {
        Ok(out.put(GUESTS.get(a)?.text().as_bytes()))
    }
}

guard! {
    /// Releases a guest.
    atoll_guest_drop(a, b, input, out) {
        let guest: Arc<Guest> = GUESTS.get(a)?;
        if !guest.is_droppable() {
            return Err(Failure::state(format!("the guest {} is running; kill it and wait for its event", guest.name)));
        }
        GUESTS.remove(a)?;
        Ok(0)
    }
}
