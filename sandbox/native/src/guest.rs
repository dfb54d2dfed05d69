//! One guest: made, started, ended, dropped; its end is told once.

use crate::clock;
use crate::engine::{EngineHost, Living};
use crate::entry::{Entry, Start};
use crate::events::{Event, Kind};
use crate::failure::{Failure, Result, shortened};
use crate::files::{Files, User, UserRequest};
use crate::host::Host;
use crate::limits::{Account, CpuRequest, Request as LimitsRequest};
use crate::linking::wants_files;
use crate::module::Program;
use crate::network::{Network, NetworkRequest, Policy, Surroundings};
use crate::pool::Slot;
use crate::recipe::Recipe;
use crate::run;
use crate::serve::{Server, Settings};
use crate::stdio::{Counts, Keeper, Places, Size, Streams, Terminal, Unread};
use crate::view::View;
use serde::Deserialize;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::net::TcpListener;
use tokio::sync::Notify;

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
    terminal: Option<Size>,
    /// The id of a guest whose account this one shares; 0 is none.
    #[serde(default)]
    pub joins: i64,
    memory_limit: Option<u64>,
    cpu: Option<CpuRequest>,
    /// Open files and directories; 0 is no limit.
    #[serde(default)]
    max_open_files: usize,
    user: Option<UserRequest>,
    pub network: Option<NetworkRequest>,
    #[serde(default)]
    http: Settings,
}

impl Request {
    fn places(&self) -> Places<'_> {
        Places {
            stdin: self.stdin.as_deref(),
            stdout: self.stdout.as_deref(),
            stderr: self.stderr.as_deref(),
            terminal: self.terminal,
        }
    }
}

fn root() -> String {
    "/".into()
}

/// A guest as others see it. The parts that hold resources are in [`Prepared`] and gone once the guest has ended.
pub(crate) struct Guest {
    pub id: u64,
    pub name: String,
    pub engine: Arc<EngineHost>,
    /// Its container's.
    pub account: Arc<Account>,
    pub kill: Kill,
    pub entered_ns: AtomicU64,
    created_ns: u64,
    started_ns: AtomicU64,
    ended_ns: AtomicU64,
    streamed: Counts,
    /// `None` if it has none; gone once the guest has ended.
    terminal: Option<Weak<Terminal>>,
    stdin_keeper: Mutex<Option<OwnedFd>>,
    pub unread: Unread,
    figures: Mutex<Figures>,
    state: Mutex<State>,
}

enum State {
    Made(Box<Prepared>),
    Running,
    Ended { text: String },
}

/// Everything that a guest holds before it is started.
struct Prepared {
    work: Work,
    streams: Streams,
    terminal: Option<Arc<Terminal>>,
    view: Option<Arc<View>>,
    living: Living,
}

impl Prepared {
    fn keepers(&self) -> Vec<Keeper> {
        self.streams.keepers().chain(self.terminal.as_deref().and_then(Terminal::keeper)).collect()
    }
}

enum Work {
    Call(Box<Host>, Entry, Slot),
    Serve(Arc<Server>),
}

/// Everything that the guest's task takes over at start.
pub(crate) struct Running {
    pub work: Job,
    pub streams: Streams,
    pub terminal: Option<Arc<Terminal>>,
    /// Keeps the mounts that the guest's directories are on.
    pub view: Option<Arc<View>>,
    pub living: Living,
}

pub(crate) enum Job {
    Call(Box<Host>, Entry, Slot),
    Serve(Arc<Server>, TcpListener),
}

/// The numbers of the server and the network: asked of them while they are there.
enum Figures {
    Present { server: Option<Arc<Server>>, network: Option<Arc<Network>> },
    Last([u64; FIGURES]),
}

/// Requests answered, failed, turned away, in progress; connections; sockets, refusals; instances.
const FIGURES: usize = 8;

impl Figures {
    fn now(&self) -> [u64; FIGURES] {
        let (server, network) = match self {
            Self::Last(numbers) => return *numbers,
            Self::Present { server, network } => (server, network),
        };
        let mut numbers = [0; FIGURES];
        if let Some(server) = server {
            let counters = &server.counters;
            let [requests, connections, instances] = server.present();
            numbers[0] = counters.answered.load(Ordering::Relaxed);
            numbers[1] = counters.failed.load(Ordering::Relaxed);
            numbers[2] = counters.turned_away.load(Ordering::Relaxed);
            (numbers[3], numbers[4], numbers[7]) = (requests, connections, instances);
        }
        if let Some(network) = network {
            (numbers[5], numbers[6]) = (network.sockets.taken() as u64, network.refused());
        }
        numbers
    }
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
        joined: Option<&Guest>,
        request: &Request,
    ) -> Result<Arc<Self>> {
        let engine = &program.engine;
        engine.check_open()?;
        check_arguments(request)?;
        let linked = program.linked()?;
        let start = Start::find(&program.name, linked, request.export.as_deref(), &request.args)?;
        let account = account(engine, joined, request)?;
        engine.admit(&request.name, linked.initial_memory(), account.memory.limit())?;
        let surroundings =
            || Surroundings { name: &request.name, env: &request.env, view: view.clone(), account: account.clone() };
        let network = request.network.as_ref().map(|network| network.open(surroundings(), policy)).transpose()?;
        let streamed = Counts::default();
        // Instances of a server write to the same streams, each as much as it is permitted.
        let writers = if matches!(start, Start::Serve(_)) { request.http.writers() } else { 1 };
        let (streams, terminal, stdin_keeper) =
            Streams::open(&request.places(), writers, &streamed, &account, &engine.handle)?;
        let files = match &view {
            Some(view) if wants_files(linked) => Some(Arc::new(files(engine, view.clone(), request)?)),
            _ => None,
        };
        let recipe = Recipe {
            args: request.args.clone(),
            env: environment(request, files.as_deref()),
            cwd: request.cwd.clone(),
            files,
            stdin: matches!(start, Start::Call(_)).then(|| streams.stdin.clone()),
            stdout: streams.stdout.clone(),
            stderr: streams.stderr.clone(),
            network: network.clone(),
            account: account.clone(),
        };
        let mut server = None;
        let work = match start {
            Start::Call(entry) => Work::Call(Box::new(recipe.host()), entry, engine.slot(program.pool())?),
            Start::Serve(handler) => {
                let network = network.clone().ok_or_else(|| {
                    Failure::invalid(format!("{} serves HTTP, but this guest has no network", program.name))
                })?;
                let made = Server::new(engine.clone(), handler, recipe, network, request.http.clone())?;
                server = Some(made.clone());
                Work::Serve(made)
            }
        };
        account.add_compilation(program.take_bill());
        let watched = terminal.as_ref().map(Arc::downgrade);
        let prepared = Prepared { work, streams, terminal, view, living: engine.living() };
        Ok(Arc::new(Self {
            id,
            name: shortened(&request.name, 200),
            engine: engine.clone(),
            account,
            kill: Kill::default(),
            entered_ns: AtomicU64::new(0),
            created_ns: clock::monotonic(),
            started_ns: AtomicU64::new(0),
            ended_ns: AtomicU64::new(0),
            streamed,
            terminal: watched,
            stdin_keeper: Mutex::new(stdin_keeper),
            unread: Unread::default(),
            figures: Mutex::new(Figures::Present { server, network }),
            state: Mutex::new(State::Made(Box::new(prepared))),
        }))
    }

    /// Begins to run; a server listens when this returns.
    pub fn start(self: &Arc<Self>) -> Result<()> {
        self.engine.check_open()?;
        let mut state = self.lock();
        let State::Made(prepared) = &*state else {
            return Err(Failure::state(format!("the guest {} was started already", self.name)));
        };
        let listener = match &prepared.work {
            Work::Call(..) => None,
            Work::Serve(server) => {
                let _inside_runtime = self.engine.handle.enter();
                Some(server.listen()?)
            }
        };
        let State::Made(prepared) = std::mem::replace(&mut *state, State::Running) else { return Ok(()) };
        self.started_ns.store(clock::monotonic(), Ordering::Relaxed);
        drop(state);
        let Prepared { work, streams, terminal, view, living } = *prepared;
        let work = match (work, listener) {
            (Work::Call(host, entry, slot), _) => Job::Call(host, entry, slot),
            (Work::Serve(server), Some(listener)) => Job::Serve(server, listener),
            (Work::Serve(_), None) => return Err(Failure::state("a server that does not listen cannot be started")),
        };
        drop(self.engine.handle.spawn(run::guest(self.clone(), Running { work, streams, terminal, view, living })));
        Ok(())
    }

    /// Changes the limits of the guest's container.
    pub fn update(&self, request: &LimitsRequest) -> Result<()> {
        if let State::Ended { .. } = &*self.lock() {
            return Err(Failure::state(format!("the guest {} has ended already", self.name)));
        }
        self.account.update(&self.name, request)
    }

    /// Asks a running server to end when it has answered what it was asked; ends every other guest at once.
    pub fn stop(self: &Arc<Self>, signal: i32) -> Result<()> {
        if let State::Running = &*self.lock()
            && let Figures::Present { server: Some(server), .. } = &*self.figures()
        {
            server.stop();
            return Ok(());
        }
        self.kill(signal)
    }

    /// Lets go of server and network, of which only the numbers stay.
    pub fn settle_figures(&self) {
        let mut figures = self.figures();
        let last = Figures::Last(figures.now());
        let present = std::mem::replace(&mut *figures, last);
        drop(figures);
        if let Figures::Present { network: Some(network), .. } = present {
            network.close();
        }
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the guest at once, whatever it does; of one that was not started the end is told here.
    pub fn kill(self: &Arc<Self>, signal: i32) -> Result<()> {
        let mut state = self.lock();
        if let State::Ended { .. } = &*state {
            return Err(Failure::state(format!("the guest {} has ended already", self.name)));
        }
        self.kill.now(signal);
        if let State::Made(_) = &*state {
            let prepared = std::mem::replace(&mut *state, State::Running);
            drop(state);
            if let State::Made(prepared) = prepared {
                let keepers = prepared.keepers();
                drop(prepared);
                run::keep(self, keepers);
            }
            self.ended(End { kind: Kind::Signalled, code: signal, text: String::new() });
        }
        Ok(())
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, size: Size) -> Result<()> {
        let Some(terminal) = &self.terminal else {
            return Err(Failure::invalid(format!("the guest {} has no terminal, so no size of one", self.name)));
        };
        match terminal.upgrade() {
            Some(terminal) => terminal.resize(size),
            None => Err(Failure::state(format!("the guest {} has ended already", self.name))),
        }
    }

    pub fn close_stdin(&self) {
        drop(self.stdin_keeper.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Called once, when every resource of the guest is released.
    pub fn ended(&self, end: End) {
        self.close_stdin();
        self.settle_figures();
        let ended_ns = clock::monotonic();
        self.ended_ns.store(ended_ns, Ordering::Relaxed);
        *self.lock() = State::Ended { text: end.text };
        if end.kind == Kind::OutOfMemory {
            self.account.oom_kills.fetch_add(1, Ordering::Relaxed);
        }
        self.engine.tidying.want();
        self.engine.events.push(Event {
            id: self.id,
            kind: end.kind,
            code: end.code,
            created_ns: self.created_ns,
            started_ns: self.started_ns.load(Ordering::Relaxed),
            entered_ns: self.entered_ns.load(Ordering::Relaxed),
            ended_ns,
            cpu_ns: self.account.cpu_ns(),
            peak_bytes: self.account.memory.peak(),
        });
    }

    /// `atoll_guest_stat`'s numbers.
    pub fn stat(&self) -> [u64; 22] {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let memory = &self.account.memory;
        let own = [
            self.account.cpu_ns(),
            memory.used(),
            memory.peak(),
            get(&self.streamed.stdout),
            get(&self.streamed.stderr),
            get(&self.streamed.stdin),
            get(&self.started_ns),
            get(&self.ended_ns),
        ];
        let figures = self.figures().now();
        let throttling = self.account.throttling();
        let limits = [
            throttling.periods,
            throttling.throttled,
            throttling.throttled_ns,
            memory.limit(),
            memory.buffers(),
            get(&self.account.oom_kills),
        ];
        let mut numbers = [0; 22];
        for (slot, number) in numbers.iter_mut().zip(own.into_iter().chain(figures).chain(limits)) {
            *slot = number;
        }
        numbers
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

/// The account of the container that the guest belongs to.
fn account(engine: &EngineHost, joined: Option<&Guest>, request: &Request) -> Result<Arc<Account>> {
    let limits = LimitsRequest { memory_limit: request.memory_limit, cpu: request.cpu.clone() };
    let Some(joined) = joined else {
        let account = Account::new(&engine.limits);
        account.update(&request.name, &limits)?;
        return Ok(Arc::new(account));
    };
    if joined.engine.id != engine.id {
        return Err(Failure::invalid(format!("the guest {} to join belongs to another engine", joined.name)));
    }
    if let State::Ended { .. } = &*joined.lock() {
        return Err(Failure::state(format!("the guest {} to join has ended already", joined.name)));
    }
    if limits.memory_limit.is_some() || limits.cpu.is_some() {
        return Err(Failure::invalid(format!(
            "a guest that joins {} has the limits of that one; leave \"memoryLimit\" and \"cpu\" out",
            joined.name
        )));
    }
    Ok(joined.account.clone())
}

fn files(engine: &EngineHost, view: Arc<View>, request: &Request) -> Result<Files> {
    let user = request.user.as_ref().map(User::new).transpose()?.unwrap_or_default();
    let most = if request.max_open_files == 0 { usize::MAX } else { request.max_open_files };
    Files::open(view, &request.cwd, user, most, engine.census.clone())
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

/// The guest's environment; Go's WASI port and shells take the working directory from `PWD`.
fn environment(request: &Request, files: Option<&Files>) -> Vec<(String, String)> {
    let pair = |variable: &String| {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        (name.to_owned(), value.to_owned())
    };
    let mut environment: Vec<_> = request.env.iter().map(pair).collect();
    if files.is_some_and(Files::has_cwd) && !environment.iter().any(|(name, _)| name == "PWD") {
        environment.push(("PWD".to_owned(), request.cwd.clone()));
    }
    environment
}
