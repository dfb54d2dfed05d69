//! One guest: made, started, ended, dropped; its end is told once.

use crate::clock;
use crate::engine::{EngineHost, Slot};
use crate::entry::Entry;
use crate::events::{Event, Kind};
use crate::failure::{Failure, Result, shortened};
use crate::host::{Host, HostNetwork};
use crate::limits::{Limits, Usage};
use crate::module::Program;
use crate::network::{NetworkRequest, Policy, Surroundings, sockets};
use crate::run;
use crate::stdio::{Input, Output, StdinSource, StdoutSource, Unread};
use crate::view::View;
use serde::Deserialize;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// Bytes of arguments and environment together, as for a process.
const LARGEST_ARGUMENTS: usize = 2 << 20;

/// `atoll_guest_new`'s request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    name: String,
    #[serde(default)]
    pub view: i64,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default = "root")]
    cwd: String,
    export: Option<String>,
    stdin: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    #[serde(default)]
    memory_limit: Option<u64>,
    pub network: Option<NetworkRequest>,
}

fn root() -> String {
    "/".into()
}

/// A guest as others see it. The parts that hold resources are in [`Prepared`] and gone once the guest has ended.
pub(crate) struct Guest {
    pub id: u64,
    pub name: String,
    pub engine: Arc<EngineHost>,
    pub usage: Arc<Usage>,
    pub kill: Kill,
    pub entered_ns: AtomicU64,
    created_ns: u64,
    started_ns: AtomicU64,
    ended_ns: AtomicU64,
    written: [Arc<AtomicU64>; 2],
    read: Arc<AtomicU64>,
    stdin_keeper: Mutex<Option<OwnedFd>>,
    pub unread: Unread,
    state: Mutex<State>,
}

enum State {
    Made(Box<Prepared>),
    Running,
    Ended { text: String },
}

/// Everything the guest's task takes over at start.
pub(crate) struct Prepared {
    pub host: Host,
    pub entry: Entry,
    pub stdout: Arc<Output>,
    pub stderr: Arc<Output>,
    pub view: Option<Arc<View>>,
    pub slot: Slot,
}

/// The request to end a guest at once; the first signal stays.
#[derive(Default)]
pub(crate) struct Kill {
    signal: AtomicI32,
    changed: Notify,
}

impl Kill {
    fn now(&self, signal: i32) {
        // A second signal finds the first in place.
        let _first = self.signal.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    /// Waits until the guest is to be ended; gives the signal.
    pub async fn requested(&self) -> i32 {
        loop {
            let changed = self.changed.notified();
            match self.signal.load(Ordering::SeqCst) {
                0 => changed.await,
                signal => return signal,
            }
        }
    }
}

/// How a guest ended.
pub(crate) struct End {
    pub kind: Kind,
    pub code: i32,
    pub text: String,
}

impl Guest {
    /// Opens the streams and checks the entry. Nothing runs yet.
    pub fn new(
        id: u64,
        program: &Program,
        view: Option<Arc<View>>,
        policy: Option<Arc<Policy>>,
        request: &Request,
    ) -> Result<Arc<Self>> {
        let engine = &program.engine;
        let slot = engine.slot()?;
        check_arguments(request)?;
        let entry = Entry::find(&program.name, program.linked()?, request.export.as_deref(), &request.args)?;
        let usage = Arc::<Usage>::default();
        let surroundings =
            || Surroundings { name: &request.name, env: &request.env, view: view.clone(), usage: usage.clone() };
        let network = request.network.as_ref().map(|network| network.open(surroundings(), policy)).transpose()?;
        let (out, err, read) = (Arc::default(), Arc::default(), Arc::default());
        let inside_runtime = engine.handle.enter();
        let (stdin, stdin_keeper) = Input::open(request.stdin.as_deref(), Arc::clone(&read), &engine.handle)?;
        let stdout = Output::open("stdout", request.stdout.as_deref(), Arc::clone(&out), &engine.handle)?;
        let stderr = Output::open("stderr", request.stderr.as_deref(), Arc::clone(&err), &engine.handle)?;
        drop(inside_runtime);
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdin(StdinSource(stdin)).stdout(StdoutSource(stdout.clone())).stderr(StdoutSource(stderr.clone()));
        wasi.args(&request.args);
        for variable in &request.env {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            wasi.env(name, value);
        }
        give_files(&mut wasi, view.as_deref(), request)?;
        let net = HostNetwork::new(network.clone(), sockets::give(&mut wasi, network.as_ref()));
        let limits = Limits::new(request.memory_limit.unwrap_or(0), usage.clone());
        let host = Host { wasi: wasi.build_p1(), limits, net };
        let prepared = Prepared { host, entry, stdout, stderr, view, slot };
        Ok(Arc::new(Self {
            id,
            name: shortened(&request.name, 200),
            engine: engine.clone(),
            usage,
            kill: Kill::default(),
            entered_ns: AtomicU64::new(0),
            created_ns: clock::monotonic(),
            started_ns: AtomicU64::new(0),
            ended_ns: AtomicU64::new(0),
            written: [out, err],
            read,
            stdin_keeper: Mutex::new(stdin_keeper),
            unread: Unread::default(),
            state: Mutex::new(State::Made(Box::new(prepared))),
        }))
    }

    pub fn start(self: &Arc<Self>) -> Result<()> {
        self.engine.check_open()?;
        let mut state = self.lock();
        match std::mem::replace(&mut *state, State::Running) {
            State::Made(prepared) => {
                self.started_ns.store(clock::monotonic(), Ordering::Relaxed);
                drop(state);
                drop(self.engine.handle.spawn(run::guest(self.clone(), prepared)));
                Ok(())
            }
            other => {
                *state = other;
                Err(Failure::state(format!("the guest {} was started already", self.name)))
            }
        }
    }

    /// Ends the guest at once, whatever it does; of one that was not started the end is told here.
    pub fn kill(&self, signal: i32) -> Result<()> {
        let mut state = self.lock();
        if let State::Ended { .. } = &*state {
            return Err(Failure::state(format!("the guest {} has ended already", self.name)));
        }
        self.kill.now(signal);
        if let State::Made(_) = &*state {
            let prepared = std::mem::replace(&mut *state, State::Running);
            drop(state);
            drop(prepared);
            self.ended(End { kind: Kind::Signalled, code: signal, text: String::new() });
        }
        Ok(())
    }

    pub fn close_stdin(&self) {
        drop(self.stdin_keeper.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Called once, when every resource of the guest is released.
    pub fn ended(&self, end: End) {
        self.close_stdin();
        self.usage.memory.store(0, Ordering::Relaxed);
        let ended_ns = clock::monotonic();
        self.ended_ns.store(ended_ns, Ordering::Relaxed);
        *self.lock() = State::Ended { text: end.text };
        self.engine.events.push(Event {
            id: self.id,
            kind: end.kind,
            code: end.code,
            created_ns: self.created_ns,
            started_ns: self.started_ns.load(Ordering::Relaxed),
            entered_ns: self.entered_ns.load(Ordering::Relaxed),
            ended_ns,
            cpu_ns: self.usage.cpu_ns.load(Ordering::Relaxed),
            peak_bytes: self.usage.peak.load(Ordering::Relaxed),
        });
    }

    /// `atoll_guest_stat`'s numbers.
    pub fn stat(&self) -> [u64; 8] {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        [
            get(&self.usage.cpu_ns),
            get(&self.usage.memory),
            get(&self.usage.peak),
            get(&self.written[0]),
            get(&self.written[1]),
            get(&self.read),
            get(&self.started_ns),
            get(&self.ended_ns),
        ]
    }

    /// The text of a trap or failure; empty where there is none.
    pub fn text(&self) -> String {
        match &*self.lock() {
            State::Ended { text } => text.clone(),
            _ => String::new(),
        }
    }

    /// Whether the guest may be dropped: it has ended or was never started.
    pub fn is_droppable(&self) -> bool {
        !matches!(&*self.lock(), State::Running)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_arguments(request: &Request) -> Result<()> {
    let size: usize = request.args.iter().chain(&request.env).map(|text| text.len() + 1).sum();
    if size > LARGEST_ARGUMENTS {
        return Err(Failure::invalid(format!(
            "arguments and environment are too long: {size} bytes, at most {LARGEST_ARGUMENTS} are accepted"
        )));
    }
    let bad = request.args.iter().chain(&request.env).chain([&request.cwd]).find(|text| text.contains('\0'));
    if let Some(bad) = bad {
        return Err(Failure::invalid(format!(
            "{:?} contains a NUL character, which no argument can",
            shortened(bad, 100)
        )));
    }
    if !request.cwd.starts_with('/') {
        return Err(Failure::invalid(format!("the working directory {:?} is not absolute", request.cwd)));
    }
    Ok(())
}

/// Preopens the view's root as `/`, and before it the working directory as `.`, made if it is missing (as runc does).
fn give_files(wasi: &mut WasiCtxBuilder, view: Option<&View>, request: &Request) -> Result<()> {
    let Some(view) = view else { return Ok(()) };
    let preopen = |wasi: &mut WasiCtxBuilder, path: &str, name: &str| {
        wasi.preopened_dir(path, name, FsPerms::ReadWrite).map(|_| ()).map_err(|error| {
            Failure::new(crate::failure::Code::Io, format!("cannot open {name} of the view: {error:#}"))
        })
    };
    let relative = request.cwd.trim_matches('/');
    if !relative.is_empty() {
        let cwd = view.directory(&request.cwd)?;
        preopen(wasi, &format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&cwd)), ".")?;
        // Go's WASI port and shells take the working directory from here.
        if !request.env.iter().any(|variable| variable.starts_with("PWD=")) {
            wasi.env("PWD", &request.cwd);
        }
    }
    preopen(wasi, &view.root_path(), "/")?;
    wasi.initial_cwd(&request.cwd);
    Ok(())
}
