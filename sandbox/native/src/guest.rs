//! One guest: made, started, ended, dropped; its end is told once.

use crate::clock;
use crate::engine::{EngineHost, Living, Slot};
use crate::entry::{Entry, Start};
use crate::events::{Event, Kind};
use crate::failure::{Failure, Result, shortened};
use crate::files::{Files, User, UserRequest};
use crate::host::Host;
use crate::limits::Usage;
use crate::linking::wants_files;
use crate::module::Program;
use crate::network::{Network, NetworkRequest, Policy, Surroundings};
use crate::recipe::Recipe;
use crate::run;
use crate::serve::{Server, Settings};
use crate::stdio::{Input, Output, Unread};
use crate::view::View;
use serde::Deserialize;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    #[serde(default)]
    memory_limit: Option<u64>,
    /// Open files and directories; 0 is no limit.
    #[serde(default)]
    max_open_files: usize,
    user: Option<UserRequest>,
    pub network: Option<NetworkRequest>,
    #[serde(default)]
    http: Settings,
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
    stdout: Arc<Output>,
    stderr: Arc<Output>,
    view: Option<Arc<View>>,
    living: Living,
}

enum Work {
    Call(Box<Host>, Entry, Slot),
    Serve(Arc<Server>),
}

/// Everything that the guest's task takes over at start.
pub(crate) struct Running {
    pub work: Job,
    pub stdout: Arc<Output>,
    pub stderr: Arc<Output>,
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
        request: &Request,
    ) -> Result<Arc<Self>> {
        let engine = &program.engine;
        engine.check_open()?;
        check_arguments(request)?;
        let linked = program.linked()?;
        let start = Start::find(&program.name, linked, request.export.as_deref(), &request.args)?;
        let usage = Arc::<Usage>::default();
        let surroundings =
            || Surroundings { name: &request.name, env: &request.env, view: view.clone(), usage: usage.clone() };
        let network = request.network.as_ref().map(|network| network.open(surroundings(), policy)).transpose()?;
        let (out, err, read) = (Arc::default(), Arc::default(), Arc::default());
        // Instances of a server write to the same streams, each as much as it is permitted.
        let writers = if matches!(start, Start::Serve(_)) { request.http.writers() } else { 1 };
        let inside_runtime = engine.handle.enter();
        let (stdin, stdin_keeper) = Input::open(request.stdin.as_deref(), Arc::clone(&read), &engine.handle)?;
        let stdout = Output::open("stdout", request.stdout.as_deref(), writers, Arc::clone(&out), &engine.handle)?;
        let stderr = Output::open("stderr", request.stderr.as_deref(), writers, Arc::clone(&err), &engine.handle)?;
        drop(inside_runtime);
        let files = match &view {
            Some(view) if wants_files(linked) => Some(Arc::new(files(engine, view.clone(), request)?)),
            _ => None,
        };
        let recipe = Recipe {
            args: request.args.clone(),
            env: environment(request, files.as_deref()),
            cwd: request.cwd.clone(),
            files: files.clone(),
            stdin: matches!(start, Start::Call(_)).then_some(stdin),
            stdout: stdout.clone(),
            stderr: stderr.clone(),
            network: network.clone(),
            memory_limit: request.memory_limit.unwrap_or(0),
            usage: usage.clone(),
        };
        let mut server = None;
        let work = match start {
            Start::Call(entry) => Work::Call(Box::new(recipe.host()), entry, engine.slot()?),
            Start::Serve(handler) => {
                let network = network.clone().ok_or_else(|| {
                    Failure::invalid(format!("{} serves HTTP, but this guest has no network", program.name))
                })?;
                let made = Server::new(engine.clone(), handler, recipe, network, request.http.clone())?;
                server = Some(made.clone());
                Work::Serve(made)
            }
        };
        let prepared = Prepared { work, stdout, stderr, view, living: engine.living() };
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
        let Prepared { work, stdout, stderr, view, living } = *prepared;
        let work = match (work, listener) {
            (Work::Call(host, entry, slot), _) => Job::Call(host, entry, slot),
            (Work::Serve(server), Some(listener)) => Job::Serve(server, listener),
            (Work::Serve(_), None) => return Err(Failure::state("a server that does not listen cannot be started")),
        };
        drop(self.engine.handle.spawn(run::guest(self.clone(), Running { work, stdout, stderr, view, living })));
        Ok(())
    }

    /// Asks a running server to end when it has answered what it was asked; ends every other guest at once.
    pub fn stop(&self, signal: i32) -> Result<()> {
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
        self.settle_figures();
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
    pub fn stat(&self) -> [u64; 16] {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let own = [
            get(&self.usage.cpu_ns),
            get(&self.usage.memory),
            get(&self.usage.peak),
            get(&self.written[0]),
            get(&self.written[1]),
            get(&self.read),
            get(&self.started_ns),
            get(&self.ended_ns),
        ];
        let figures = self.figures().now();
        std::array::from_fn(|index| if index < own.len() { own[index] } else { figures[index - own.len()] })
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
