//! Programs: compiled or mapped off the caller's thread, then linked and shared by all their guests.

use crate::allocator;
use crate::clock;
use crate::complexity;
use crate::engine::EngineHost;
use crate::events::{Event, Kind as EventKind};
use crate::failure::{Code, Failure, Result, one_line, shortened};
use crate::linking::{HTTP_HANDLER, Linked, exported, exports};
use crate::panics;
use crate::pool::Pool;
use crate::program::{self, Kind};
use crate::registry::{Registry, next_id};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use wasmtime::component::Component;
use wasmtime::{Engine, Precompiled};

/// The largest source that is read, in bytes.
const LARGEST: u64 = 512 << 20;

/// `atoll_module_load`'s request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    name: String,
    /// Whose compilations take turns with those of others; absent: the program's own.
    owner: Option<String>,
    source: Option<String>,
    output: Option<String>,
    precompiled: Option<String>,
}

/// A program of one engine. Its outcome is set once, by a thread of the engine.
pub(crate) struct Program {
    pub id: u64,
    pub name: String,
    pub engine: Arc<EngineHost>,
    /// CPU time of compiling that no container was charged with yet.
    unpaid_ns: AtomicU64,
    outcome: OnceLock<Result<Ready>>,
}

struct Ready {
    linked: Linked,
    kind: Kind,
    /// Whether it handles HTTP requests.
    serves: bool,
    exports: Vec<String>,
    compile_nanos: u64,
}

/// `atoll_module_info`'s answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    compile_nanos: u64,
    exports: &'a [String],
}

enum Work {
    Compile { source: String, output: String },
    Map { precompiled: String },
}

impl Program {
    /// Starts the work and returns at once; the engine's event for `id` follows.
    pub fn load(engine: &Arc<EngineHost>, known: &Registry<Self>, request: Request) -> Result<u64> {
        let work = match (request.source, request.output, request.precompiled) {
            (Some(source), Some(output), None) => Work::Compile { source, output },
            (None, None, Some(precompiled)) => Work::Map { precompiled },
            _ => {
                return Err(Failure::invalid(
                    "a module is loaded from either \"source\" with \"output\" or \"precompiled\"; give one of the two",
                ));
            }
        };
        let owner = request.owner.unwrap_or_else(|| request.name.clone());
        let id = next_id();
        let program = Arc::new(Self {
            id,
            name: shortened(&one_line(&request.name), 200),
            engine: engine.clone(),
            unpaid_ns: AtomicU64::new(0),
            outcome: OnceLock::new(),
        });
        let shared = program.clone();
        // Known before the work begins: the event may be seen before this call returns.
        known.insert(id, program);
        // Mapping takes a fraction of a millisecond and must not queue behind compilations that take seconds.
        let jobs = if matches!(work, Work::Map { .. }) { &engine.map } else { &engine.compile };
        if let Err(error) = jobs.submit(&owner, move || shared.work(work)) {
            drop(known.remove(id.cast_signed()));
            return Err(Failure::io("cannot start a thread for the module", error));
        }
        Ok(id)
    }

    /// The linked program, once ready.
    pub fn linked(&self) -> Result<&Linked> {
        match self.outcome.get() {
            Some(Ok(ready)) => Ok(&ready.linked),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(Failure::state(format!("the module {} is still being loaded; wait for its event", self.name))),
        }
    }

    /// Nanoseconds of CPU time that compiling took, for the first that asks; then 0.
    pub fn take_bill(&self) -> u64 {
        self.unpaid_ns.swap(0, Ordering::Relaxed)
    }

    /// `atoll_module_info`'s JSON.
    pub fn info(&self) -> Result<String> {
        let mut info = Info { state: "loading", error: None, code: None, kind: None, compile_nanos: 0, exports: &[] };
        match self.outcome.get() {
            None => {}
            Some(Ok(ready)) => {
                info.state = "ready";
                info.kind = Some(ready.kind.word());
                info.compile_nanos = ready.compile_nanos;
                info.exports = &ready.exports;
            }
            Some(Err(failure)) => {
                info.state = "failed";
                info.error = Some(&failure.text);
                info.code = Some(failure.code as i64);
            }
        }
        serde_json::to_string(&info).map_err(|error| Failure::new(Code::Internal, error.to_string()))
    }

    fn work(&self, work: Work) {
        let created_ns = clock::monotonic();
        let outcome = catch_unwind(AssertUnwindSafe(|| match work {
            Work::Compile { source, output } => self.compile(&source, &output),
            Work::Map { precompiled } => self.map(&precompiled),
        }));
        let outcome = outcome.unwrap_or_else(|panic| {
            Err(Failure::new(
                Code::Internal,
                format!("loading {} failed by a bug: {}", self.name, panics::text(&*panic)),
            ))
        });
        let code = outcome.as_ref().err().map_or(0, |failure| failure.code as i32);
        drop(self.outcome.set(outcome));
        self.engine.events.push(Event {
            id: self.id,
            kind: EventKind::Module,
            code,
            created_ns,
            started_ns: 0,
            entered_ns: 0,
            ended_ns: clock::monotonic(),
            cpu_ns: 0,
            peak_bytes: 0,
        });
    }

    fn compile(&self, source: &str, output: &str) -> Result<Ready> {
        let bytes = read(&self.name, source)?;
        let kind = program::kind(&self.name, &bytes)?;
        let bytes = match wat::parse_bytes(&bytes) {
            Ok(Cow::Owned(binary)) => binary,
            // Text that cannot be read is told so by the compiler.
            Ok(Cow::Borrowed(_)) | Err(_) => bytes,
        };
        complexity::check(&self.name, &bytes)?;
        let engine = &self.engine.commands.wasmtime;
        let (code, compile_nanos) = on_compilers(self.engine.compilers, || match kind {
            Kind::Module => engine.precompile_module(&bytes),
            Kind::Component => engine.precompile_component(&bytes),
        })?;
        let code = code.map_err(|error| program::not_compiled(&self.name, &bytes, &error));
        self.unpaid_ns.store(compile_nanos, Ordering::Relaxed);
        drop(bytes);
        let file = code.and_then(|code| write(output, &code));
        // The allocator would keep most of what the compiler has used: hundreds of megabytes for a large program.
        allocator::give_back();
        let file = file?;
        self.link(kind, file, compile_nanos).inspect_err(|_| drop(std::fs::remove_file(output)))
    }

    fn map(&self, precompiled: &str) -> Result<Ready> {
        let failed =
            |error| Failure::io(format!("cannot open the compiled code {precompiled:?} of {}", self.name), error);
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(precompiled).map_err(failed)?;
        let status = file.metadata().map_err(failed)?;
        // Compiled code runs with all rights of this process: only a file that nobody else can write is mapped.
        if !status.is_file() || status.uid() != rustix::process::geteuid().as_raw() || status.mode() & 0o022 != 0 {
            return Err(Failure::invalid(format!(
                "the compiled code {precompiled:?} of {} is not trusted: it must be a regular file, owned by this process's \
                 user and writable by nobody else (mode {:o}, uid {})",
                self.name,
                status.mode() & 0o7777,
                status.uid()
            )));
        }
        let kind = match Engine::detect_precompiled_file(format!("/proc/self/fd/{}", file.as_raw_fd())) {
            Ok(Some(Precompiled::Module)) => Kind::Module,
            Ok(Some(Precompiled::Component)) => Kind::Component,
            Ok(None) | Err(_) => {
                return Err(Failure::invalid(format!(
                    "{precompiled:?} is not compiled code of this engine; compile {} again",
                    self.name
                )));
            }
        };
        self.link(kind, file, 0)
    }

    fn link(&self, kind: Kind, file: File, compile_nanos: u64) -> Result<Ready> {
        let mut pool = &self.engine.commands;
        let mut serves = false;
        let linked = match kind {
            Kind::Module => {
                // SAFETY: the file was just written by this engine into a file it created with mode 0600, or it is owned
                // by our user, writable by nobody else, and the caller vouches for its integrity.
                let module = unsafe { wasmtime::Module::deserialize_open_file(&pool.wasmtime, file) };
                pool.linkers.module(&self.name, &module.map_err(|error| self.unusable(&error))?)?
            }
            Kind::Component => {
                let mut component = self.component(pool, &file)?;
                serves = exported(&component, HTTP_HANDLER).is_some();
                if serves {
                    pool = &self.engine.servers;
                    component = self.component(pool, &file)?;
                }
                pool.linkers.component(&self.name, &component)?
            }
        };
        let (_, exports) = exports(&linked);
        Ok(Ready { linked, kind, serves, exports, compile_nanos })
    }

    /// Maps the compiled code in `file` into an engine.
    fn component(&self, pool: &Pool, file: &File) -> Result<Component> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: as in `link`.
        unsafe { Component::deserialize_file(&pool.wasmtime, path) }.map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &wasmtime::Error) -> Failure {
        Failure::invalid(format!(
            "the compiled code of {} cannot be used: {}; compile it again",
            self.name,
            one_line(&format!("{error:#}"))
        ))
    }

    /// Where the program's instances are.
    pub fn pool(&self) -> &Pool {
        match self.outcome.get() {
            Some(Ok(Ready { serves: true, .. })) => &self.engine.servers,
            _ => &self.engine.commands,
        }
    }
}

/// Does `work`, and what it does in parallel, on so many threads of its own. They are as nice as this one, and have ended when
/// this returns, with the nanoseconds of CPU time that they took.
fn on_compilers<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<(T, u64)> {
    let cpu_ns = AtomicU64::new(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("atoll-compile-{number}"))
        .stack_size(8 << 20)
        .build_scoped(
            |thread| {
                thread.run();
                cpu_ns.fetch_add(clock::thread_cpu(), Ordering::Relaxed);
            },
            |pool| pool.install(work),
        );
    let done = pool.map_err(|error| Failure::new(Code::Exhausted, format!("cannot start compilers: {error}")))?;
    Ok((done, cpu_ns.load(Ordering::Relaxed)))
}

fn read(name: &str, source: &str) -> Result<Vec<u8>> {
    let failed = |error| Failure::io(format!("cannot read {name} from {source:?}"), error);
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(source).map_err(failed)?;
    let status = file.metadata().map_err(failed)?;
    if !status.is_file() {
        return Err(Failure::invalid(format!("cannot read {name} from {source:?}: it is not a regular file")));
    }
    if status.len() > LARGEST {
        return Err(Failure::invalid(format!(
            "{name} is too large: {} bytes, at most {LARGEST} are accepted",
            status.len()
        )));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(status.len()).unwrap_or(0));
    file.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Writes a new file that only our user can read, and gives it back for mapping.
fn write(output: &str, code: &[u8]) -> Result<File> {
    let written = (|| {
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(output)?;
        let done = file.write_all(code).and_then(|()| file.sync_all());
        if done.is_err() {
            drop(std::fs::remove_file(output));
        }
        done.map(|()| file)
    })();
    written.map_err(|error| Failure::io(format!("cannot write the compiled code to {output:?}"), error))
}
